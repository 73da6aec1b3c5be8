/**
 * The proof that a change makes it through: one is made in Postgres, on a table of its own that is gone again
 * afterwards, and waited for on the open stream.
 */
import { randomBytes } from "node:crypto";
import { Client } from "pg";

const SCHEMA = "rowcast_start";
const TABLE = `${SCHEMA}.probe`;
/** A log without a cursor begins "now": a change made just before that is not in it, so another is made after a while. */
const AGAIN_AFTER_MS = 1_500;

/**
 * Resolves when a change in the database has arrived on the stream of the Worker.
 *
 * @param workerUrl the Worker's address, `http://127.0.0.1:8787`.
 * @returns milliseconds from the change to its arrival.
 * @throws the reason of `signal` when that is aborted, or what went wrong with the stream or the database.
 */
export async function probe(databaseUrl: string, workerUrl: string, signal: AbortSignal): Promise<number> {
  const client = new Client({ connectionString: databaseUrl });
  client.on("error", () => undefined); // The query in flight fails with the same error, and tells.
  await client.connect();
  try {
    await client.query(`
      DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE;
      CREATE SCHEMA ${SCHEMA};
      CREATE TABLE ${TABLE} (token text PRIMARY KEY);
      SELECT rowcast.watch('${TABLE}')`);
    return await makeUntilSeen(client, workerUrl, signal);
  } finally {
    await client
      .query(`SELECT rowcast.unwatch('${TABLE}'); DROP SCHEMA ${SCHEMA} CASCADE`)
      .catch(() => undefined); // The next start drops it first.
    await client.end().catch(() => undefined);
  }
}

function makeUntilSeen(client: Client, workerUrl: string, signal: AbortSignal): Promise<number> {
  const address = new URL(`/ws?tables=${TABLE}`, workerUrl);
  address.protocol = address.protocol.replace("http", "ws");
  const socket = new WebSocket(address);
  const madeAt = new Map<string, number>();
  let again: NodeJS.Timeout | undefined;

  const seen = new Promise<number>((resolve, reject) => {
    const make = async () => {
      const token = randomBytes(12).toString("hex");
      madeAt.set(token, performance.now());
      await client.query(`INSERT INTO ${TABLE} VALUES ($1)`, [token]);
    };
    socket.addEventListener("message", ({ data }) => {
      const message = JSON.parse(String(data)) as Frame;
      if (message.type === "welcome") {
        make().catch(reject);
        again = setInterval(() => void make().catch(reject), AGAIN_AFTER_MS);
      }
      for (const { data } of message.changes ?? []) {
        const at = madeAt.get(data?.token ?? "");
        if (at !== undefined) resolve(performance.now() - at);
      }
    });
    socket.addEventListener("error", () => reject(new Error(`${address.href} could not be opened`)));
    socket.addEventListener("close", ({ code, reason }) =>
      reject(new Error(`the stream was closed: ${code} ${reason}`)),
    );
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    if (signal.aborted) reject(signal.reason as Error);
  });
  return seen.finally(() => {
    clearInterval(again);
    socket.close();
  });
}

/** What is looked at here of the stream's frames (protocol/messages.ts). */
interface Frame {
  readonly type: string;
  readonly changes?: readonly { readonly data: { readonly token?: string } | null }[];
}
