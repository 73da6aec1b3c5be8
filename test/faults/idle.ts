/**
 * `node test/faults/idle.ts [--minutes 10]`: a session that has changed a row and then does nothing, its transaction open,
 * beside writers and pruning at 2,000 changes a second. It must hold up nobody; its own change comes when it commits.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import pg from "pg";
import { createClient } from "../../client/index.ts";
import { layGround } from "./ground.ts";

const { values: options } = parseArgs({ options: { minutes: { type: "string", default: "10" } } });
const FOR_MS = Number(options.minutes) * 60_000;
const RATE = 2000;
const STATEMENT_ROWS = 100;
const RETENTION_MS = 2000;
const IDLE_NAME = "written before, committed after";

const ground = await layGround({ listener: { OUTBOX_RETENTION_MS: String(RETENTION_MS) } });
const connect = async (): Promise<pg.Client> => {
  const client = new pg.Client({ connectionString: ground.cluster.url });
  await client.connect();
  return client;
};
let kept = false;
try {
  const [idle, writer] = [await connect(), await connect()];
  const client = createClient({ url: ground.url });
  let received = 0;
  const ages: number[][] = [];
  const startedAt = performance.now();
  const idleSeen = Promise.withResolvers<void>();
  client.on("changes", ({ changes }) => {
    received += changes.length;
    const minute = Math.floor((performance.now() - startedAt) / 60_000);
    for (const { data, timestamp } of changes) {
      (ages[minute] ??= []).push(Date.now() - Date.parse(timestamp));
      if (data?.["name"] === IDLE_NAME) idleSeen.resolve();
    }
  });
  await new Promise<void>((resolve) => void client.on("status", () => resolve()));
  await idle.query("BEGIN");
  await idle.query("INSERT INTO items (shelf, id, name) VALUES (0, 0, $1)", [IDLE_NAME]);

  let [written, most] = [0, 0];
  for (let i = 0; performance.now() - startedAt < FOR_MS; i += 1) {
    const wait = startedAt + (i * STATEMENT_ROWS * 1000) / RATE - performance.now();
    if (wait > 0) await sleep(wait);
    await writer.query(
      `INSERT INTO items (shelf, id, name) SELECT 1 + $1::int % 50, n, $1::text FROM generate_series(1, ${STATEMENT_ROWS}) n
       ON CONFLICT (shelf, id) DO UPDATE SET name = excluded.name, n = items.n + 1`,
      [i],
    );
    written += STATEMENT_ROWS;
    if (i % 100 !== 0) continue;
    const { rows } = await writer.query<{ count: number }>(
      "SELECT count(*)::int AS count FROM rowcast.changes",
    );
    most = Math.max(most, rows[0]?.count ?? 0);
  }
  while (received < written && performance.now() - startedAt < FOR_MS + 60_000) await sleep(100);
  const during = received;
  await idle.query("COMMIT");
  await Promise.race([idleSeen.promise, sleep(10_000)]);
  const p99 = (all: number[] = []): number =>
    all.toSorted((a, b) => a - b)[Math.floor(all.length * 0.99)] ?? Number.NaN;
  const full = ages.slice(0, Math.max(1, Math.floor(FOR_MS / 60_000)));
  console.log(`open for                              ${options.minutes} min`);
  console.log(`changes written and received meanwhile ${written} and ${during}`);
  console.log(
    `p99 from statement to client, first and last minute  ${p99(full[0])} and ${p99(full.at(-1))} ms`,
  );
  console.log(
    `most rows in the outbox                ${most} (retention ${RETENTION_MS} ms, pruned every 10 s)`,
  );
  console.log(`its own change after it committed      ${received === written + 1 ? "came" : "did not come"}`);
  kept = during === written && received === written + 1 && most < RATE * 30;
  client.close();
  await idle.end();
  await writer.end();
} finally {
  await ground.stop();
}
process.exit(kept ? 0 : 1);
