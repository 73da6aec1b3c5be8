/**
 * `node bench/outbox.ts [--seconds 120] [--rate 2000] [--waiting 1000000] [--retention 20] [--hold]`: how long a drain takes
 * while so many rows wait for retention, and whether the outbox grows. With --hold a transaction is open all the time, as of a
 * dump, so that vacuum may take nothing away. One writer changes `rate` rows a second, 20 a transaction; a
 * reader drains every 20 ms as the listener does. In the first third nothing is old enough to go; then what is older than
 * `retention` seconds is pruned every second. For the hour: `--seconds 3600 --retention 300`.
 */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Client } from "pg";
import { startGuard } from "../dev/guard.ts";
import { migrate } from "../dev/migrate.ts";
import { findFreePort } from "../dev/ports.ts";
import { startPostgres } from "../dev/postgres.ts";
import { machine } from "./report.ts";
import { Histogram } from "./tally.ts";

const { values: options } = parseArgs({
  options: {
    seconds: { type: "string", default: "120" },
    rate: { type: "string", default: "2000" },
    waiting: { type: "string", default: "1000000" },
    retention: { type: "string", default: "20" },
    hold: { type: "boolean", default: false },
  },
});
const FOR_MS = Number(options.seconds) * 1000;
const ROWS_A_TRANSACTION = 20;
const DRAIN_EVERY_MS = 20;
const PRUNE_EVERY_MS = 1_000;
const PRUNE_ROWS = 5_000;

const guard = startGuard();
const folder = await mkdtemp(join(tmpdir(), "rowcast-outbox-"));
await chmod(folder, 0o755); // mkdtemp closes it to the account that Postgres runs as when we are root.
const postgres = await startPostgres({ dataDir: join(folder, "postgres"), port: await findFreePort() });
guard.watch(postgres.pid, "postgres");
try {
  await migrate(postgres.url);
  const [writer, reader, pruner] = await Promise.all([connect(), connect(), connect()]);
  const { rows: versions } = await writer.query<{ server_version: string }>("SHOW server_version");
  console.log(await machine(versions[0]?.server_version ?? "", 0));
  await writer.query(`CREATE TABLE readings (id int PRIMARY KEY, n int NOT NULL, note text NOT NULL);
    INSERT INTO readings SELECT i, 0, repeat('a customer''s order of items ', 5) FROM generate_series(1, 10000) i;
    SELECT rowcast.watch('readings')`);
  await writer.query(
    `INSERT INTO rowcast.changes ("table", operation, key, data, old)
     SELECT 'readings', 'UPDATE', jsonb_build_object('id', r.id), to_jsonb(r), '{"n": 0}'
     FROM readings r CROSS JOIN generate_series(1, $1::int / 10000)`,
    [options.waiting],
  );
  await writer.query("VACUUM ANALYZE rowcast.changes");

  const holder = await connect();
  if (options.hold) await holder.query("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM readings");

  const startedAt = performance.now();
  const elapsed = (): number => performance.now() - startedAt;
  const counts = { written: 0, drained: 0, pruned: 0 };
  let cursor = await read(reader, null).then(({ next_cursor }) => next_cursor);
  let drains = new Histogram();
  let prunes = new Histogram();

  async function write(): Promise<void> {
    for (let n = 0; elapsed() < FOR_MS; n += 1) {
      const from = (n * ROWS_A_TRANSACTION) % 10_000;
      await writer.query("UPDATE readings SET n = n + 1 WHERE id > $1 AND id <= $1 + $2::int", [
        from,
        ROWS_A_TRANSACTION,
      ]);
      counts.written += ROWS_A_TRANSACTION;
      await sleep(Math.max(0, (counts.written * 1000) / Number(options.rate) - elapsed()));
    }
  }

  async function drain(): Promise<void> {
    while (elapsed() < FOR_MS) {
      for (let more = true; more;) {
        const before = performance.now();
        const page = await read(reader, cursor);
        if (page.count > 0) drains.add(performance.now() - before);
        counts.drained += page.count;
        ({ next_cursor: cursor, more } = page);
      }
      await sleep(DRAIN_EVERY_MS);
    }
  }

  async function prune(): Promise<void> {
    await sleep(FOR_MS / 3);
    while (elapsed() < FOR_MS) {
      for (let rows = PRUNE_ROWS; rows >= PRUNE_ROWS && elapsed() < FOR_MS;) {
        const before = performance.now();
        const answer = await pruner.query<{ rows: number }>(
          "SELECT rowcast.prune($1, NULL, $2::int * interval '1 second', $3) AS rows",
          [cursor, options.retention, PRUNE_ROWS],
        );
        prunes.add(performance.now() - before);
        rows = answer.rows[0]?.rows ?? 0;
        counts.pruned += rows;
      }
      await sleep(PRUNE_EVERY_MS);
    }
  }

  async function report(): Promise<void> {
    console.log(
      "     s    written    drained     pruned   rows at most    heap MB  indexes MB   drain p50 / p99 ms   prune p50 / p99 ms",
    );
    while (elapsed() < FOR_MS) {
      await sleep(Math.min(FOR_MS / 12, FOR_MS - elapsed() + 1));
      const client = await connect();
      const { rows } = await client.query<{ rows: string; heap: string; indexes: string }>(
        `SELECT rows, pg_relation_size('rowcast.changes') / 1000000 AS heap,
           pg_indexes_size('rowcast.changes') / 1000000 AS indexes FROM rowcast.outbox_size()`,
      );
      await client.end();
      const { rows: size = "", heap = "", indexes = "" } = rows[0] ?? {};
      const line = [elapsed() / 1000, counts.written, counts.drained, counts.pruned].map((n) => n.toFixed(0));
      const p = (times: Histogram): string =>
        [0.5, 0.99].map((share) => (times.count > 0 ? times.percentile(share).toFixed(2) : "-")).join(" / ");
      const cells = [...line, size, heap, indexes].map((cell, i) =>
        cell.padStart([6, 11, 11, 11, 15, 11, 12][i] ?? 8),
      );
      console.log(`${cells.join("")}   ${p(drains).padEnd(18)}   ${p(prunes)}`);
      [drains, prunes] = [new Histogram(), new Histogram()];
    }
  }

  await Promise.all([write(), drain(), prune(), report()]);
  await Promise.all([writer, reader, pruner, holder].map((client) => client.end()));
} finally {
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
  guard.release();
}

interface Page {
  count: number;
  next_cursor: string;
  more: boolean;
}

async function read(client: Client, from: string | null): Promise<Page> {
  const { rows } = await client.query<Page>("SELECT * FROM rowcast.read($1, 500, 1000000)", [from]);
  if (rows[0] === undefined) throw new Error("rowcast.read answers with one row");
  return rows[0];
}

async function connect(): Promise<Client> {
  const client = new Client({ connectionString: postgres.url });
  await client.connect();
  return client;
}
