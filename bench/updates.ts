/** The process that updates: one row in a transaction of its own after the other, on each of its connections. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Client } from "pg";
import { serveParent } from "./child.ts";

/** Who writes: Postgres' own benchmark, or the same in Node. */
export type Writer = "pgbench" | "node";

interface Load {
  databaseUrl: string;
  connections: number;
  /** Whole seconds, as pgbench takes them. */
  seconds: number;
  /** Ids from 1 to this are there. */
  rows: number;
}

export interface Request extends Load {
  writer: Writer;
}

export interface Reply {
  /** Commits a second, without the time to connect. */
  rate: number;
}

const run = promisify(execFile);

serveParent(async ({ writer, ...load }: Request): Promise<Reply> => ({
  rate: await (writer === "pgbench" ? writeByPgbench(load) : writeByNode(load)),
}));

async function writeByPgbench({ databaseUrl, connections, seconds, rows }: Load): Promise<number> {
  const { stdout } = await run("pgbench", [
    "--no-vacuum",
    "--protocol=prepared",
    `--client=${connections}`,
    `--time=${seconds}`,
    `--define=rows=${rows}`,
    `--file=${fileURLToPath(new URL("updates.pgbench", import.meta.url))}`,
    databaseUrl,
  ]);
  const rate = /^tps = ([0-9.]+) \(without initial connection time\)$/m.exec(stdout)?.[1];
  const failed = /^number of failed transactions: ([0-9]+) /m.exec(stdout)?.[1] ?? "0";
  if (rate === undefined || failed !== "0") throw new Error(`pgbench said:\n${stdout}`);
  return Number(rate);
}

const UPDATE = { name: "update", text: "UPDATE readings SET n = n + 1, sent_ms = $2 WHERE id = $1" };

async function writeByNode({ databaseUrl, connections, seconds, rows }: Load): Promise<number> {
  const clients = Array.from({ length: connections }, () => new Client({ connectionString: databaseUrl }));
  await Promise.all(clients.map((client) => client.connect()));
  const startedAt = performance.now();
  async function write(client: Client): Promise<number> {
    for (let commits = 0; ; commits += 1) {
      const now = performance.now() - startedAt;
      if (now >= seconds * 1000) return commits;
      const id = 1 + Math.floor(Math.random() * rows);
      await client.query({ ...UPDATE, values: [id, now.toFixed(3)] });
    }
  }
  try {
    const commits = await Promise.all(clients.map(write));
    return (1000 * commits.reduce((sum, each) => sum + each, 0)) / (performance.now() - startedAt);
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
}
