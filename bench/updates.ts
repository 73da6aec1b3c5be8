/** The process that updates: one row in a transaction of its own after the other, on each of its connections. */
import { Client } from "pg";
import { serveParent } from "./child.ts";

export interface Request {
  databaseUrl: string;
  connections: number;
  forMs: number;
  /** Ids from 1 to this are there. */
  rows: number;
}

export interface Reply {
  commits: number;
  ms: number;
}

const UPDATE = { name: "update", text: "UPDATE readings SET n = n + 1, sent_ms = $2 WHERE id = $1" };

serveParent(async ({ databaseUrl, connections, forMs, rows }: Request): Promise<Reply> => {
  const clients = Array.from({ length: connections }, () => new Client({ connectionString: databaseUrl }));
  await Promise.all(clients.map((client) => client.connect()));
  const startedAt = performance.now();
  async function write(client: Client): Promise<number> {
    for (let commits = 0; ; commits += 1) {
      const now = performance.now() - startedAt;
      if (now >= forMs) return commits;
      const id = 1 + Math.floor(Math.random() * rows);
      await client.query({ ...UPDATE, values: [id, now.toFixed(3)] });
    }
  }
  try {
    const commits = await Promise.all(clients.map(write));
    return { commits: commits.reduce((sum, each) => sum + each, 0), ms: performance.now() - startedAt };
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
});
