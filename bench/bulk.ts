/**
 * `node bench/bulk.ts [--rows 100000] [--clients 20] [--rounds 4]`: one UPDATE of many rows, how long after its commit all of
 * it has come to all clients, and the memory of the listener meanwhile.
 */
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Client } from "pg";
import { startChild } from "./child.ts";
import { createClock } from "./clock.ts";
import type { Reply, Request } from "./crowd-clients.ts";
import { machine } from "./report.ts";
import { setStage } from "./stage.ts";

const { values: options } = parseArgs({
  options: {
    rows: { type: "string", default: "100000" },
    clients: { type: "string", default: "20" },
    rounds: { type: "string", default: "4" },
  },
});
const [ROWS, CLIENTS, ROUNDS] = [options.rows, options.clients, options.rounds].map(Number) as [
  number,
  number,
  number,
];
const ANSWER_MS = 120_000;

const stage = await setStage();
const { rowcast } = stage;
const crowd = startChild<Request, Reply>("./crowd-clients.ts", stage.guard);
const clock = createClock(performance.timeOrigin);
const database = new Client({ connectionString: rowcast.databaseUrl });
await database.connect();

const ask = (request: Request): Promise<Reply> => crowd.ask(request, ANSWER_MS);

/** Resident memory of the listener, MB. */
async function memory(): Promise<number> {
  const status = await readFile(`/proc/${rowcast.listenerPid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024;
}

try {
  console.log(await machine(stage.postgresVersion, 0));
  console.log(`\nUPDATE of ${ROWS.toLocaleString("en")} rows, ${CLIENTS} clients`);
  await database.query(
    `ALTER TABLE readings DISABLE TRIGGER USER;
     INSERT INTO readings (run, writer, n, sent_ms, note)
     SELECT 0, 0, i, 0, repeat('a customer''s order of items ', 5) FROM generate_series(1, ${ROWS}) i;
     ALTER TABLE readings ENABLE TRIGGER USER`,
  );
  await ask({
    kind: "connect",
    urls: Array.from({ length: CLIENTS }, () => rowcast.streamUrl),
    atOnce: CLIENTS,
    origin: performance.timeOrigin,
  });
  for (let round = 1; round <= ROUNDS; round += 1) {
    await database.query("VACUUM ANALYZE readings");
    const before = await memory();
    let most = before;
    const watch = setInterval(() => void memory().then((now) => (most = Math.max(most, now))), 10);
    const arrived = ask({ kind: "await", changes: round * ROWS * CLIENTS });
    const startedAt = clock();
    await database.query("UPDATE readings SET n = n + 1");
    const committedAt = clock();
    const { lastMs } = await arrived;
    clearInterval(watch);
    console.log(
      `  the statement ${(committedAt - startedAt).toFixed(0)} ms; the last change at the last client ` +
        `${(lastMs - committedAt).toFixed(0)} ms after its commit; listener ${before.toFixed(0)} MB before, at most ${most.toFixed(0)} MB`,
    );
    await sleep(2000);
  }
  const { delivered, gaps } = await ask({ kind: "close" });
  console.log(
    `  delivered ${delivered} of ${ROUNDS * ROWS * CLIENTS}, frames that skipped or repeated: ${gaps}`,
  );
} finally {
  crowd.kill();
  await database.end();
  await stage.stop();
}
