/** That the page is small, and quick on a slow machine. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { CDPSession, Page } from "playwright-core";
import { expect, it } from "vitest";
import { PROJECT_DIR } from "../../dev/config.ts";
import { setScene } from "./scene.ts";
import { commitChanges, insertOrders, openDesktop, settle } from "./shell-busy.ts";
import { watchTasks } from "./tasks.ts";

const MAX_FIRST_VIEW_BYTES = 60_000;
const DIST = join(PROJECT_DIR, "web/dist");

const scene = setScene();

it("needs no more than 60 kB of JavaScript for the first view, and leaves the charts for later", async () => {
  const html = await readFile(join(DIST, "index.html"), "utf8");
  const scripts = [...html.matchAll(/<(?:script|link)[^>]+(?:src|href)="([^"]+\.js)"/g)].map(
    ([, path]) => path ?? "",
  );
  const sizes = await Promise.all(
    scripts.map(async (path) => gzipSync(await readFile(join(DIST, path)), { level: 9 }).length),
  );
  expect(scripts.some((path) => path.includes("/assets/index-"))).toBe(true);
  expect(sizes.reduce((a, b) => a + b)).toBeLessThanOrEqual(MAX_FIRST_VIEW_BYTES);
  const later = (await readdir(join(DIST, "assets"))).filter((name) =>
    /^(ChartsView|Panel|Help)-.*\.js$/.test(name),
  );
  expect(later).toHaveLength(3);
  expect(scripts.filter((path) => later.some((name) => path.endsWith(name)))).toEqual([]);
});

const SLOWER = 4;
const MAX_INTERACTIVE_MS = 1000;
/** What `work` takes on a quiet machine, slowed as the page is: a busier one is given as much more time. */
const QUIET_WORK_MS = 120;

it("can be used within a second, on a processor four times slower", async () => {
  await scene.sql(
    "INSERT INTO orders (customer_name, product_name) SELECT 'Customer ' || i, 'Lamp' FROM generate_series(1, 1000) i",
  );
  const context = await scene.browser.newContext();
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await page.goto(scene.stack.url); // the Worker has started, and the browser compiled: the second visit is everybody's
  await page.locator("[data-testid=order-row]").first().waitFor();
  const tries: { interactive: number; allowed: number }[] = [];
  for (let n = 0; n < 3; n++) {
    const before = await slowedWork(page, session);
    const interactive = await timeToInteractive(page, session);
    const load = Math.max(1, Math.max(before, await slowedWork(page, session)) / QUIET_WORK_MS);
    tries.push({ interactive, allowed: Math.round(MAX_INTERACTIVE_MS * load) });
    if (interactive <= MAX_INTERACTIVE_MS * load) break;
  }
  console.log("interactive after, and allowed, ms:", JSON.stringify(tries));
  expect(
    tries.some(({ interactive, allowed }) => interactive <= allowed),
    JSON.stringify(tries),
  ).toBe(true);
  await context.close();
});

const BUSY_SECONDS = 4;
const MAX_TASK_MS = 100;

// `npm run test:dashboard` does it for 30 s, and looks at the memory too
it("shows 1,000 changes a second with no task over 100 ms, and all of them", async () => {
  const { client } = scene.stack.database;
  await client.query("DELETE FROM orders");
  await insertOrders(client);
  const page = await openDesktop(scene.browser, scene.stack.url);
  await settle(client, page);
  const watched = await watchTasks(scene.browser, page);
  await commitChanges(client, BUSY_SECONDS);
  await settle(client, page);
  const tasks = await watched();
  console.log("tasks:", JSON.stringify(tasks));
  expect(tasks.longestMs).toBeLessThanOrEqual(MAX_TASK_MS);
  await page.context().close();
});

/** From navigation until there are rows on the screen and a key, tried without pause, opens the dialog: ms. */
async function timeToInteractive(page: Page, session: CDPSession): Promise<number> {
  await session.send("Network.setCacheDisabled", { cacheDisabled: true });
  await session.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
  await page.addInitScript(() => {
    const state = globalThis as { readyAt?: number };
    const look = (): void => {
      if (!document.querySelector("[data-testid=order-row]")) return void requestAnimationFrame(look);
      if (!document.querySelector("dialog[open]")) dispatchEvent(new KeyboardEvent("keydown", { key: "n" }));
      if (document.querySelector("dialog[open]")) state.readyAt ??= performance.now();
      else setTimeout(look);
    };
    look();
  });
  await page.reload();
  const readyAt = await page.waitForFunction(() => (globalThis as { readyAt?: number }).readyAt, null, {
    timeout: 20_000,
  });
  await session.send("Emulation.setCPUThrottlingRate", { rate: 1 });
  return Math.round((await readyAt.jsonValue()) ?? Number.NaN);
}

/** How long a piece of work takes in this page, slowed: what else the machine does shows here. */
async function slowedWork(page: Page, session: CDPSession): Promise<number> {
  await session.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
  const ms = await page.evaluate(() => {
    const start = performance.now();
    const seen = new Map<string, number>();
    for (let n = 0; n < 150_000; n++) seen.set(`key ${n % 5000}`, (seen.get(`key ${n % 4999}`) ?? 0) + n);
    return performance.now() - start;
  });
  await session.send("Emulation.setCPUThrottlingRate", { rate: 1 });
  return ms;
}
