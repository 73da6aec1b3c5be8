/**
 * The proof that a change makes it through: one is made in Postgres, on a table of its own that is gone again
 * afterwards,
 * and waited for on the open stream.
 */
import { randomBytes } from "node:crypto";
import { EventSourceParserStream } from "eventsource-parser/stream";
import { Client } from "pg";

const TOKEN = /[0-9a-f]{24}/;
const SCHEMA = "rowcast_start";
const TABLE = `${SCHEMA}.probe`;
/** A log without a cursor begins "now": a change made just before that is not in it, so another is made after a while. */
const AGAIN_AFTER_MS = 1_500;

/**
 * Resolves when a change in the database has arrived on the stream of the Worker.
 *
 * @param workerUrl the Worker's address, `http://127.0.0.1:8787`.
 * @returns milliseconds from the commit of the change to its arrival.
 * @throws the reason of `signal` when that is aborted, or what went wrong with the stream or the database.
 */
export async function probe(databaseUrl: string, workerUrl: string, signal: AbortSignal): Promise<number> {
  const finished = new AbortController();
  const client = new Client({ connectionString: databaseUrl });
  client.on("error", () => undefined); // The query in flight fails with the same error, and tells.
  await client.connect();
  try {
    await client.query(`
      DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE;
      CREATE SCHEMA ${SCHEMA};
      CREATE TABLE ${TABLE} (token text PRIMARY KEY);
      SELECT rowcast.watch('${TABLE}')`);
    const response = await fetch(new URL(`/sse?tables=${TABLE}`, workerUrl), {
      signal: AbortSignal.any([signal, finished.signal]),
    });
    if (!response.ok || response.body === null) throw new Error(`GET /sse answered ${response.status}`);
    return await makeUntilSeen(client, response.body, signal);
  } finally {
    finished.abort();
    await client
      .query(`SELECT rowcast.unwatch('${TABLE}'); DROP SCHEMA ${SCHEMA} CASCADE`)
      .catch(() => undefined); // The next start drops it first.
    await client.end().catch(() => undefined);
  }
}

async function makeUntilSeen(
  client: Client,
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  signal: AbortSignal,
): Promise<number> {
  const madeAt = new Map<string, number>();
  const make = async () => {
    const token = randomBytes(12).toString("hex");
    madeAt.set(token, performance.now());
    await client.query(`INSERT INTO ${TABLE} VALUES ($1)`, [token]);
  };
  let failure: unknown = null;
  const again = setInterval(() => void make().catch((error: unknown) => (failure = error)), AGAIN_AFTER_MS);
  try {
    const events = body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
    for await (const { event, data } of events) {
      if (failure !== null) throw failure;
      if (event === "welcome") await make();
      const token = event?.startsWith(`${TABLE}:`) ? TOKEN.exec(data)?.[0] : undefined;
      const at = token === undefined ? undefined : madeAt.get(token);
      if (at !== undefined) return performance.now() - at;
    }
  } finally {
    clearInterval(again);
  }
  signal.throwIfAborted();
  throw new Error("the stream ended");
}
