/** The process that writes: one autocommitted INSERT after the other on each of its connections. */
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { serveParent } from "./child.ts";
import { createClock } from "./clock.ts";
import { Histogram } from "./tally.ts";

export interface Request {
  databaseUrl: string;
  origin: number;
  run: number;
  connections: number;
  forMs: number;
  /** Statements per second and connection, at uneven intervals; null: as fast as the database answers. */
  perSecond: number | null;
}

export interface Reply {
  /** Commits of each connection. */
  commits: number[];
  firstSentMs: number;
  lastCommitMs: number;
  /** From before a statement is sent to the answer that it is committed, p50 and p99. */
  commitP50: number;
  commitP99: number;
}

const INSERT = {
  name: "insert",
  text: "INSERT INTO readings (run, writer, n, sent_ms, note) VALUES ($1, $2, $3, $4, $5)",
};
const NOTE = "A customer's order of some items, as wide as such rows are: ".padEnd(140, "lorem ipsum ");

serveParent(async (request: Request): Promise<Reply> => {
  const { databaseUrl, origin, run, connections, forMs, perSecond } = request;
  const clock = createClock(origin);
  const histogram = new Histogram();
  const clients = Array.from({ length: connections }, () => new Client({ connectionString: databaseUrl }));
  await Promise.all(clients.map((client) => client.connect()));
  const startMs = clock();

  async function write(client: Client, writer: number): Promise<number> {
    for (let n = 0; ; n += 1) {
      if (perSecond !== null) {
        // Uneven, so that the writer never walks in step with somebody's timer.
        const dueMs = startMs + ((n + Math.random()) * 1000) / perSecond;
        await sleep(Math.max(0, dueMs - clock()));
      }
      const sentMs = clock();
      if (sentMs - startMs >= forMs) return n;
      await client.query({ ...INSERT, values: [run, writer, n, sentMs.toFixed(3), NOTE] });
      histogram.add(clock() - sentMs);
    }
  }

  try {
    const commits = await Promise.all(clients.map(write));
    return {
      commits,
      firstSentMs: startMs,
      lastCommitMs: clock(),
      commitP50: histogram.percentile(0.5),
      commitP99: histogram.percentile(0.99),
    };
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
});
