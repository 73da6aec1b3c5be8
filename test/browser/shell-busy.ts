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

export interface Tasks {
  readonly count: number;
  /** The longest, in ms of the processor's time: of what else the machine does nothing is in it. */
  readonly longestMs: number;
  /** The longest by the clock on the wall. */
  readonly longestWallMs: number;
  /** How much of the time the page's main thread was at work, 0 to 1. */
  readonly busy: number;
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** The tasks of the page's main thread while `work` runs. */
export async function recordTasks(
  browser: Browser,
  page: Page,
  work: () => Promise<unknown>,
): Promise<Tasks> {
  await browser.startTracing(page, { categories: ["toplevel"] });
  await work();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as {
    traceEvents: TraceEvent[];
  };
  const threads = traceEvents.filter(
    ({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain",
  );
  // the page's is the busiest: a browser keeps a spare one at hand
  const candidates = threads.map(({ pid, tid }) =>
    traceEvents.filter(
      (event) => event.pid === pid && event.tid === tid && event.ph === "X" && event.name.endsWith("RunTask"),
    ),
  );
  const sum = (events: readonly TraceEvent[]) => events.reduce((ms, { tdur = 0 }) => ms + tdur / 1000, 0);
  const tasks = candidates.toSorted((a, b) => sum(b) - sum(a))[0] ?? [];
  if (tasks.length === 0) throw new Error("the trace has no tasks of a page");
  const [first, last] = [tasks[0]?.ts ?? 0, tasks.at(-1)?.ts ?? 0];
  return {
    count: tasks.length,
    longestMs: Math.max(...tasks.map(({ tdur = 0 }) => tdur / 1000)),
    longestWallMs: Math.max(...tasks.map(({ dur = 0 }) => dur / 1000)),
    busy: (sum(tasks) * 1000) / (last - first),
  };
}

/** What is in use once all that can be collected has been. */
export async function heapMb(session: CDPSession): Promise<number> {
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  return usedSize / 1e6;
}
