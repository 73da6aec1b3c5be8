/** A thousand changes a second, and what they cost the page that shows them. */
import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "pg";
import type { Browser, CDPSession, Page } from "playwright-core";

export const CHANGES_PER_SECOND = 1000;
const TICK_MS = 50;
const ORDERS = 5000;

export async function insertOrders(database: Client): Promise<void> {
  await database.query(
    "INSERT INTO orders (customer_name, product_name) SELECT 'Customer ' || i % 900, 'Lamp' FROM generate_series(1, $1::int) i",
    [ORDERS],
  );
}

/** Four in five changes are updates; as many orders come as go. Paced by the clock: who is late catches up. */
export async function commitChanges(
  database: Client,
  seconds: number,
): Promise<{ changes: number; ms: number }> {
  const perTick = (CHANGES_PER_SECOND * TICK_MS) / 1000;
  const few = perTick / 10;
  const start = performance.now();
  let changes = 0;
  for (let tick = 0; tick * TICK_MS < seconds * 1000; tick++) {
    await delay(Math.max(0, start + tick * TICK_MS - performance.now()));
    await database.query(`
      BEGIN;
      UPDATE orders SET amount = ${tick}, status = (ARRAY['pending', 'shipped', 'delivered'])[1 + ${tick} % 3]
        WHERE id IN (SELECT id FROM orders TABLESAMPLE BERNOULLI (5) LIMIT ${perTick - 2 * few});
      INSERT INTO orders (customer_name, product_name) SELECT 'Customer ' || i, 'Desk' FROM generate_series(1, ${few}) i;
      DELETE FROM orders WHERE id IN (SELECT id FROM orders ORDER BY id LIMIT ${few});
      COMMIT`);
    changes += perTick;
  }
  return { changes, ms: performance.now() - start };
}

/** The dashboard in a window as on a desk, once it is live and its charts are there. */
export async function openDesktop(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(url);
  await page.locator("[data-testid=connection][data-state=live]").waitFor();
  await page.locator("canvas").first().waitFor();
  return page;
}

/** Resolves when the page shows what the database has. @throws when it does not within 20 s. */
export async function settle(database: Client, page: Page): Promise<void> {
  const { rows } = await database.query<{ status: string; count: string }>(
    "SELECT status, count(*) FROM orders WHERE status IN ('pending', 'shipped', 'delivered') GROUP BY status",
  );
  for (const { status, count } of rows) {
    const text = Number(count).toLocaleString("en-US");
    await page.getByTestId(`card-${status}`).filter({ hasText: text }).waitFor({ timeout: 20_000 });
  }
}

/** What is in use once all that can be collected has been. */
export async function heapMb(session: CDPSession): Promise<number> {
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  return usedSize / 1e6;
}
