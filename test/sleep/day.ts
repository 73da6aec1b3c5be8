/** `npm run test:sleep [-- --hour MS]`: for how long a compute is awake in a day, by mode and by who watches. See README.md here. */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Client } from "pg";
import { PROJECT_DIR } from "../../dev/config.ts";
import { startGuard, type Guard } from "../../dev/guard.ts";
import { migrate } from "../../dev/migrate.ts";
import { startPart } from "../../dev/part.ts";
import { findFreePort } from "../../dev/ports.ts";
import { startPostgres } from "../../dev/postgres.ts";
import { watchSocket } from "../e2e/watchers.ts";
import { prepareWorker } from "../faults/worker.ts";
import { startCompute, type Compute } from "./compute.ts";

const { values: options } = parseArgs({ options: { hour: { type: "string", default: "4000" } } });
/** An hour of the day that is played, in ms. */
const HOUR = Number(options.hour);
/** The smallest that the listener takes; it has to be well below 5 minutes, so an hour cannot be much shorter. */
const KEEPALIVE_MS = 100;
const SECRET = "simulated-day-ingest-secret-0123456789";

/** A time of that day, in ms. */
const scaled = (realMs: number): number => (realMs / 3_600_000) * HOUR;
const minutes = (count: number): number => scaled(count * 60_000);

const DAYS = [
  { name: "nobody", from: 0, to: 0 },
  { name: "8 hours (9 to 17)", from: 9, to: 17 },
  { name: "all day", from: 0, to: 24 },
] as const;
type Day = (typeof DAYS)[number];
const MODES = ["auto", "prevent"] as const;

interface House {
  readonly compute: Compute;
  readonly url: string;
  /** Of the database, through the compute. */
  readonly databaseUrl: string;
}

/** Worker, listener and compute of one mode, on a database of its own. */
async function build(mode: string, postgresUrl: string, folder: string, guard: Guard): Promise<House> {
  const admin = new Client({ connectionString: postgresUrl });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${mode}`);
  await admin.end();
  const own = new URL(postgresUrl);
  own.pathname = `/${mode}`;
  await migrate(own.href);
  const compute = await startCompute({ postgresUrl, suspendAfterMs: minutes(5), wakeMs: 5, lookEveryMs: 10 });
  const databaseUrl = compute.through(own.href);
  const port = await findFreePort();
  const worker = await prepareWorker({
    port,
    folder: join(folder, mode),
    // Never by itself: a day is short, and a slow moment would be taken for a dead listener.
    bindings: { DATABASE_URL: databaseUrl, INGEST_SECRET: SECRET, FALLBACK_AFTER_MS: "35000" },
    onLine: (line) => {
      if (!line.includes('"level":"info"')) console.error(`worker (${mode}): ${line}`);
    },
    guard,
  });
  await worker.start();
  const url = `http://127.0.0.1:${port}`;
  await startPart({
    node: ["listener/main.ts"],
    cwd: PROJECT_DIR,
    env: {
      PATH: process.env["PATH"],
      DATABASE_URL: databaseUrl,
      WORKER_URL: url,
      INGEST_SECRET: SECRET,
      SUSPEND: mode,
      IDLE_AFTER_MS: String(Math.round(minutes(1))),
      WAKE_EVERY_MS: String(Math.round(scaled(6 * 3_600_000))),
      KEEPALIVE_MS: String(KEEPALIVE_MS),
      LOG_LEVEL: "error",
    },
    onLine: (line) => console.error(`listener (${mode}): ${line}`),
    guard,
  });
  return { compute, url, databaseUrl };
}

/** One day; resolves with the hours for which the compute was awake. */
async function live({ compute, url, databaseUrl }: House, { from, to }: Day): Promise<number> {
  const [began, awake] = [performance.now(), compute.awakeMs];
  const until = (hour: number) => sleep(Math.max(0, began + hour * HOUR - performance.now()));
  await until(from);
  if (to > from) {
    const watcher = await watchSocket(url);
    for (let hour = from; hour < to; hour += 0.25) {
      await until(hour);
      await write(databaseUrl);
    }
    await until(to);
    await watcher.until(() => watcher.changes.length >= (to - from) * 4);
    watcher.close();
  }
  await until(24);
  return (compute.awakeMs - awake) / HOUR;
}

/** As an application that opens a connection for it. */
async function write(databaseUrl: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  client.on("error", () => undefined); // its query tells
  try {
    await client.connect();
    await client.query("INSERT INTO orders (customer_name, product_name) VALUES ('Ada', 'Lamp')");
  } catch {
    return await write(databaseUrl); // cut off by a suspension, as on Neon
  } finally {
    await client.end();
  }
}

const folder = await mkdtemp(join(tmpdir(), "rowcast-day-"));
await chmod(folder, 0o755); // mkdtemp closes it to the account that Postgres runs as when we are root.
const guard = startGuard();
const houses: House[] = [];
try {
  const server = await startPostgres({
    dataDir: join(folder, "postgres"),
    port: await findFreePort(),
    fsync: false,
  });
  guard.watch(server.pid, "postgres");
  for (const mode of MODES) houses.push(await build(mode, server.url, folder, guard));
  console.log(`24 hours of ${HOUR} ms each; hours for which the compute is awake:\n`);
  console.log(`| clients watch | SUSPEND=${MODES.join(" | SUSPEND=")} |`);
  console.log("|---|---|---|");
  await Promise.all([houses[0]?.compute.untilSuspended(), sleep(HOUR)]);
  for (const day of DAYS) {
    const hours = await Promise.all(houses.map((house) => live(house, day)));
    console.log(`| ${day.name} | ${hours.map((each) => each.toFixed(1)).join(" | ")} |`);
  }
} finally {
  for (const { compute } of houses) await compute.close();
  guard.release(); // which ends what is still running
  await sleep(1000);
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}
process.exit(0);
