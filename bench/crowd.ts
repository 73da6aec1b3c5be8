/**
 * `node bench/crowd.ts [--clients 5000] [--seconds 8]`: many clients on one hub. What an idle one costs in memory, how fast
 * they come in, how long a change takes to all of them; and 2,000 of them with 2,000 filters next to 2,000 with none.
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
import { median } from "./tally.ts";

const { values: options } = parseArgs({
  options: { clients: { type: "string", default: "5000" }, seconds: { type: "string", default: "8" } },
});
const CLIENTS = Number(options.clients);
const SECONDS = Number(options.seconds);
const AT_ONCE = 250;
const CHANGES = 20;
const FILTERED = 2000;
const PER_SECOND = 500;
const DEFLATED = 200;
const ANSWER_MS = 120_000;

const stage = await setStage({ HUB_SOCKETS: "100000" });
const { rowcast } = stage;
const crowd = startChild<Request, Reply>("./crowd-clients.ts", stage.guard);
const clock = createClock(performance.timeOrigin);
const database = new Client({ connectionString: rowcast.databaseUrl });
await database.connect();

/** CPU time of workerd, ms: user and system, in ticks of 10 ms. */
async function cpuMs(): Promise<number> {
  const stat = await readFile(`/proc/${rowcast.workerPid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

/** Memory of workerd that is its own, bytes. */
async function memory(): Promise<number> {
  const rollup = await readFile(`/proc/${rowcast.workerPid}/smaps_rollup`, "utf8");
  return 1024 * Number(/Private_Dirty:\s+(\d+)/.exec(rollup)?.[1] ?? Number.NaN);
}

const ask = (request: Request): Promise<Reply> => crowd.ask(request, ANSWER_MS);
const connect = (urls: string[], deflate = false): Promise<Reply> =>
  ask({ kind: "connect", urls, atOnce: AT_ONCE, origin: performance.timeOrigin, deflate });
const insert = (n: number) =>
  database.query("INSERT INTO readings (run, writer, n, sent_ms, note) VALUES (0, 0, $1, 0, 'a crowd')", [n]);

try {
  console.log(await machine(stage.postgresVersion, 0));
  await connect([rowcast.streamUrl]); // so that code is compiled and the hub is there
  await ask({ kind: "close" });
  await sleep(2000);

  const before = await memory();
  const opened = await connect(Array.from({ length: CLIENTS }, () => rowcast.streamUrl));
  await sleep(3000);
  const each = ((await memory()) - before) / CLIENTS / 1024;
  const times: number[] = [];
  for (let n = 1; n <= CHANGES; n += 1) {
    const arrived = ask({ kind: "await", changes: n * CLIENTS });
    const sentAt = clock();
    await insert(n);
    times.push((await arrived).lastMs - sentAt);
    await sleep(200);
  }
  const { gaps, delivered } = await ask({ kind: "close" });
  console.log(`\n${CLIENTS} clients on one hub`);
  console.log(`  connects/s                        ${((CLIENTS * 1000) / opened.ms).toFixed(0)}`);
  console.log(`  memory of workerd, KiB a client   ${each.toFixed(1)}`);
  console.log(
    `  a change to all of them, ms       ${median(times).toFixed(0)} (worst of ${CHANGES}: ${Math.max(...times).toFixed(0)})`,
  );
  console.log(`  delivered ${delivered} of ${CHANGES * CLIENTS}, frames that skipped or repeated: ${gaps}`);

  await database.query(
    "INSERT INTO readings (run, writer, n, sent_ms, note) SELECT 1, 0, n, 0, 'a filter' FROM generate_series(1, $1) n",
    [FILTERED],
  );
  await sleep(2000); // so that those who come now come after it
  const { rows } = await database.query<{ id: string }>("SELECT id FROM readings WHERE run = 1 ORDER BY id");
  const ids = rows.map(({ id }) => Number(id));
  const costs: Record<string, number> = {};
  for (const kind of ["without filter", "with a filter each"]) {
    const urls = ids.map((id) => {
      const filter = encodeURIComponent(JSON.stringify({ readings: { id: [id] } }));
      return kind === "without filter" ? rowcast.streamUrl : `${rowcast.streamUrl}&filter=${filter}`;
    });
    await connect(urls);
    await sleep(2000);
    const changes = PER_SECOND * SECONDS;
    const arrived = ask({ kind: "await", changes: changes * (kind === "without filter" ? FILTERED : 1) });
    const [cpu, startedAt] = [await cpuMs(), clock()];
    for (let n = 0; n < changes; n += 1) {
      await sleep(Math.max(0, startedAt + (n * 1000) / PER_SECOND - clock()));
      await database.query("UPDATE readings SET n = n + 1 WHERE id = $1", [
        ids[Math.floor(Math.random() * ids.length)],
      ]);
    }
    const { lastMs } = await arrived;
    costs[kind] = (await cpuMs()) - cpu;
    const end = await ask({ kind: "close" });
    const seconds = ((lastMs - startedAt) / 1000).toFixed(1);
    console.log(
      `\n${FILTERED} clients ${kind}, ${PER_SECOND} changes/s for ${SECONDS} s: ${costs[kind]} ms of CPU in workerd, ` +
        `${end.delivered} deliveries, the last after ${seconds} s, frames that skipped or repeated: ${end.gaps}`,
    );
    await sleep(1000);
  }
  const [plain = Number.NaN, filtered = Number.NaN] = Object.values(costs);
  console.log(`\nWith filters it costs ${(filtered / plain).toFixed(2)} × what it costs without.`);

  for (const deflate of [false, true]) {
    await connect(
      Array.from({ length: DEFLATED }, () => rowcast.streamUrl),
      deflate,
    );
    await sleep(1000);
    const arrived = ask({ kind: "await", changes: 100 * DEFLATED });
    const cpu = await cpuMs();
    for (let n = 0; n < 100; n += 1) {
      await insert(n);
      await sleep(20);
    }
    const { bytes } = await arrived;
    console.log(
      `${deflate ? "With" : "\nWithout"} permessage-deflate: ${(bytes / 100 / DEFLATED).toFixed(0)} bytes a change and client on the wire, ` +
        `${(((await cpuMs()) - cpu) / 100).toFixed(1)} ms of CPU in workerd a change to ${DEFLATED} clients`,
    );
    await ask({ kind: "close" });
    await sleep(500);
  }
} finally {
  crowd.kill();
  await database.end();
  await stage.stop();
}
