/**
 * `npm run test:dashboard`: the dashboard in a real browser over the real stack, while 1,000 changes a second are committed
 * for 30 s. Says how long its longest task was, what its memory came to, and whether all of it arrived. Fails when a task
 * took more than 100 ms, memory grew, or the page shows anything but what the database has.
 */
import { cpus } from "node:os";
import { Client } from "pg";
import { startLookStack } from "../../dev/screenshots-stack.ts";
import { launchChromium } from "../support/chromium.ts";
import { buildDashboard } from "../support/stack-dashboard.ts";
import { commitChanges, heapMb, insertOrders, openDesktop, settle } from "./shell-busy.ts";
import { watchTasks } from "./tasks.ts";

const SECONDS = 30;
/** Until every list that is bounded is full, and the browser has compiled what it will. */
const WARM_UP_SECONDS = 10;
const MAX_TASK_MS = 100;
/** Memory is never quite the same twice. */
const MAX_GROWTH_MB = 4;

await buildDashboard();
const stack = await startLookStack();
const chromium = await launchChromium();
try {
  process.exitCode = (await run()) ? 0 : 1;
} finally {
  await chromium.close();
  await stack.stop();
}

async function run(): Promise<boolean> {
  const { browser } = chromium;
  const database = new Client({ connectionString: stack.databaseUrl });
  await database.connect();
  await insertOrders(database);
  const page = await openDesktop(browser, stack.url);
  const session = await page.context().newCDPSession(page);

  await commitChanges(database, WARM_UP_SECONDS);
  await settle(database, page);
  const before = await heapMb(session);
  const watched = await watchTasks(browser, page);
  const made = await commitChanges(database, SECONDS);
  await settle(database, page);
  const tasks = await watched();
  const after = await heapMb(session);
  await database.end();

  const perSecond = Math.round((made.changes / made.ms) * 1000);
  console.log(
    `${made.changes} changes in ${(made.ms / 1000).toFixed(1)} s, ${perSecond} a second; all of them arrived`,
  );
  console.log(
    `longest task: ${tasks.longestMs.toFixed(1)} ms of processor time (at most ${MAX_TASK_MS}), ` +
      `${tasks.longestWallMs.toFixed(1)} ms by the clock; main thread busy ${(100 * tasks.busy).toFixed(0)} % of the time`,
  );
  console.log(
    `memory after collection: ${before.toFixed(1)} MB, then ${after.toFixed(1)} MB (at most ${MAX_GROWTH_MB} more)`,
  );
  console.log(
    `${cpus().length} × ${cpus()[0]?.model ?? "?"}, Chromium ${browser.version()}, Node ${process.versions.node}`,
  );
  return tasks.longestMs <= MAX_TASK_MS && after - before <= MAX_GROWTH_MB;
}
