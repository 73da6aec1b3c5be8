/**
 * `node bench/commits.ts [--seconds 4] [--rounds 7] [--writer node]`: what it costs a writer to be watched. Single-row updates,
 * each a transaction, over 1 and 16 connections, fsync on: with no trigger, with the usual row trigger that puts the row into
 * NOTIFY (its server listening), and with Rowcast (its listener and Worker running); then one UPDATE of 100,000 rows.
 * pgbench writes where it is installed, else Node.
 */
import { execFile } from "node:child_process";
import { parseArgs, promisify } from "node:util";
import { Client } from "pg";
import { startChild } from "./child.ts";
import type { Reply, Request, Writer } from "./updates.ts";
import { machine } from "./report.ts";
import { setStage } from "./stage.ts";
import { median } from "./tally.ts";

const { values: options } = parseArgs({
  options: {
    seconds: { type: "string", default: "4" },
    rounds: { type: "string", default: "7" },
    writer: { type: "string" },
  },
});
const SECONDS = Number(options.seconds);
const ROUNDS = Number(options.rounds);
const ROWS = 100_000;
/** The UPDATE of all rows is timed in so many of them. */
const BULK_ROUNDS = 3;

const stage = await setStage();
try {
  const pgbench = await versionOfPgbench();
  const writer: Writer = pgbench === null || options.writer === "node" ? "node" : "pgbench";
  console.log(await machine(stage.postgresVersion, 0));
  console.log(`Writer: ${writer === "pgbench" ? pgbench : "Node"}`);
  const writers = startChild<Request, Reply>("./updates.ts", stage.guard);
  const systems = {
    "no trigger": stage.bareDatabaseUrl,
    baseline: stage.baseline.databaseUrl,
    rowcast: stage.rowcast.databaseUrl,
  };
  type Name = keyof typeof systems;
  const names = Object.keys(systems) as Name[];
  for (const name of names) await fill(systems[name]);

  for (const connections of [1, 16]) {
    const rates: Record<Name, number[]> = { "no trigger": [], baseline: [], rowcast: [] };
    for (let round = 0; round <= ROUNDS; round += 1) {
      const first = round % names.length; // in turn: nobody is always behind the same
      for (const name of [...names.slice(first), ...names.slice(0, first)]) {
        const seconds = round === 0 ? 2 : SECONDS; // the first warms up
        const load = { writer, databaseUrl: systems[name], connections, seconds, rows: ROWS };
        const { rate } = await writers.ask(load, seconds * 1000 + 30_000);
        if (round > 0) rates[name].push(rate);
      }
    }
    const [bare, baseline, rowcast] = names.map((name) => median(rates[name]));
    if (bare === undefined || baseline === undefined || rowcast === undefined)
      throw new Error("three systems");
    console.log(
      `\n${connections} connection${connections === 1 ? "" : "s"}, commits/s (${ROUNDS} × ${SECONDS} s)`,
    );
    for (const name of names)
      console.log(
        `  ${name.padEnd(12)}${median(rates[name]).toFixed(0).padStart(8)}   ${rates[name].map((rate) => rate.toFixed(0)).join("  ")}`,
      );
    console.log(
      `  Rowcast to the baseline ${(rowcast / baseline).toFixed(2)}, to no trigger ${(rowcast / bare).toFixed(2)}; the baseline to no trigger ${(baseline / bare).toFixed(2)}`,
    );
  }

  const times: Record<Name, number[]> = { "no trigger": [], baseline: [], rowcast: [] };
  for (let round = 0; round < BULK_ROUNDS; round += 1)
    for (const name of names) times[name].push(await updateAll(systems[name]));
  console.log(`\nUPDATE of ${ROWS.toLocaleString("en")} rows, ms (${BULK_ROUNDS} rounds)`);
  for (const name of names)
    console.log(
      `  ${name.padEnd(12)}${median(times[name]).toFixed(0).padStart(8)}   × ${(median(times[name]) / median(times["no trigger"])).toFixed(2)}`,
    );
  writers.kill();
} finally {
  await stage.stop();
}

/** As it names itself; null where it is not installed. */
async function versionOfPgbench(): Promise<string | null> {
  try {
    return (await promisify(execFile)("pgbench", ["--version"])).stdout.trim();
  } catch {
    return null;
  }
}

/** The rows that are updated, unseen by triggers. */
async function fill(url: string): Promise<void> {
  await query(
    url,
    `ALTER TABLE readings DISABLE TRIGGER USER;
     INSERT INTO readings (run, writer, n, sent_ms, note)
     SELECT 0, 0, i, 0, repeat('a customer''s order of items ', 5) FROM generate_series(1, ${ROWS}) i;
     ALTER TABLE readings ENABLE TRIGGER USER`,
  );
}

async function updateAll(url: string): Promise<number> {
  await query(url, "VACUUM ANALYZE readings");
  const startedAt = performance.now();
  await query(url, "UPDATE readings SET n = n + 1");
  return performance.now() - startedAt;
}

async function query(url: string, text: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
