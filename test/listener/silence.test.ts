/** The doorbell under load, with real transactions: who does not ring is found all the same, however late they commit. */
import pg from "pg";
import { expect, onTestFinished, test } from "vitest";
import { generator } from "../sql/random.ts";
import type { ListenerProcess } from "./listener-process.ts";
import { idsIn, setStage } from "./stage.ts";

const stage = setStage();
const byNumber = (a: string, b: string): number => Number(a) - Number(b);
const WRITERS = 8;
const TRANSACTIONS = 100_000;
const INSERT = "INSERT INTO burst DEFAULT VALUES";
const HELD = "SELECT count(*)::int AS n FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock'";

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: stage.database.url });
  client.on("error", () => undefined);
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

/** Writes as fast as one connection can until `until` says so. */
async function load(client: pg.Client, until: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await until()))
    await client.query("INSERT INTO orders (customer_name, product_name) VALUES ('load', 'p')");
}

const isHeld = async (client: pg.Client): Promise<boolean> => {
  const { rows } = await client.query<{ n: number }>(HELD);
  return (rows[0]?.n ?? 0) > 0;
};

/** Writers on several connections, until the listener has silenced the bell. */
async function silence(writers: readonly pg.Client[]): Promise<void> {
  let held = false;
  await Promise.all(
    writers.map((writer, index) =>
      load(writer, async () => (held ||= index === 0 && (await isHeld(writer)))),
    ),
  );
}

test("a transaction that met a silent bell and commits long after it rings again is found", async () => {
  const log = await stage.openLog();
  const after = await stage.lastId();
  // So rarely that only the bell, or the listener's own look, can find anything.
  await stage.startReady(log, { KEEPALIVE_MS: "600000" });
  const writers = await Promise.all([connect(), connect(), connect(), connect()]);
  const late = await connect();
  await silence(writers);
  await late.query("BEGIN");
  await late.query("INSERT INTO orders (customer_name, product_name) VALUES ('late', 'p')");
  const ears = await connect();
  let rung = 0;
  ears.on("notification", () => (rung += 1));
  // Nobody writes any more: the listener lets the bell ring again.
  while (await isHeld(ears)) await ears.query("SELECT pg_sleep(0.02)");
  await ears.query("LISTEN rowcast_changes");
  await late.query("COMMIT");
  await ears.query("SELECT pg_sleep(0.05)");
  expect(rung, "the late one did not ring").toBe(0);
  const lastId = await stage.lastId();
  await log.until(() => idsIn(log).includes(lastId));
  expect(idsIn(log).toSorted(byNumber)).toEqual(await stage.outboxIds(after));
});

test(
  "100,000 transactions in bursts, with one listener, then two, of which one is killed: nothing is missed",
  { timeout: 120_000 },
  async () => {
    await stage.database.client.query(
      "CREATE TABLE burst (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY); SELECT rowcast.watch('burst')",
    );
    const log = await stage.openLog();
    const after = await stage.lastId();
    const env = { KEEPALIVE_MS: "600000" };
    await stage.startReady(log, env);
    const writers = await Promise.all(Array.from({ length: WRITERS }, connect));
    const random = generator(20_261_121);
    let done = 0;
    /** So many in one message, some of them rolled back; then perhaps one that is still at work when the others rest. */
    const burst = async (writer: pg.Client): Promise<void> => {
      const many = 1 + random(60);
      done += many;
      const ends = Array.from({ length: many }, () => (random(10) === 0 ? "ROLLBACK" : "COMMIT"));
      await writer.query(ends.map((end) => `BEGIN; ${INSERT}; ${end}`).join("; "));
      if (random(8) === 0) await writer.query(`BEGIN; ${INSERT}; SELECT pg_sleep(0.2); COMMIT`);
    };
    const eyes = await connect();
    let silences = 0;
    let killed: ListenerProcess | null = null;
    const PARTS = 10;
    for (let part = 1; part <= PARTS; part += 1) {
      const goal = (TRANSACTIONS * part) / PARTS;
      let held = false;
      await Promise.all([
        ...writers.map(async (writer) => {
          while (done < goal) await burst(writer);
        }),
        (async () => {
          while (done < goal) {
            held ||= await isHeld(eyes);
            await eyes.query("SELECT pg_sleep(0.02)");
          }
        })(),
      ]);
      if (held) silences += 1;
      // Everybody rests until the bell rings again; meanwhile a listener comes, or goes.
      while (await isHeld(eyes)) await eyes.query("SELECT pg_sleep(0.01)");
      if (part === 4) killed = await stage.startReady(log, env);
      if (part === 7) await killed?.end("SIGKILL");
      const lastId = await stage.lastId();
      await log.until(() => log.changes.some(({ id }) => id === lastId));
    }
    const outbox = await stage.outboxIds(after);
    await log.until(() => log.changes.length >= outbox.length);
    expect(idsIn(log).toSorted(byNumber)).toEqual(outbox);
    expect(silences).toBeGreaterThan(PARTS / 2);
  },
);
