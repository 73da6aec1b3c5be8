/**
 * The writers: a seeded history of transactions on several connections. They survive everything that the suite does to
 * their connections; whether a commit that was cut off took place is not theirs to know: the outbox tells.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { ORDER_STATUSES } from "../../protocol/order-status.ts";
import { passes } from "./cluster.ts";
import type { Dice } from "./random.ts";

/** Shelf 0 holds the large rows, and no bulk statement touches it. */
const SHELVES = 20;
/** More than a hundred: what changes a whole shelf is told by bundles. */
const SHELF_IDS = 160;
const LARGE_IDS = 8;
const ORDERS = 200;
const CRATES = 50;
const CONNECT_MS = 5_000;
/** A statement without an answer for so long: the connection is taken for dead. */
const STATEMENT_MS = 20_000;

export interface Writers {
  /** Changes committed so far, as far as the writers know. */
  readonly committed: number;
  readonly rolledBack: number;
  /** Lets so many more changes be made. */
  allow(changes: number): void;
  /** No more transactions until `allow`; resolves when those under way have ended. */
  pause(): Promise<void>;
  /** Resolves when what was allowed has been made, or after `ms`. */
  spent(ms: number): Promise<void>;
  stop(): Promise<void>;
}

export interface WriterOptions {
  readonly url: string;
  readonly connections: number;
  readonly dice: Dice;
}

export function startWriters({ url, connections, dice }: WriterOptions): Writers {
  let [allowed, committed, rolledBack] = [0, 0, 0];
  let [stopped, busy] = [false, 0];

  async function write(number: number): Promise<void> {
    const own = dice.fork(`writer ${number}`);
    let client: Client | null = null;
    while (!stopped) {
      if (committed >= allowed) {
        await sleep(5);
        continue;
      }
      busy += 1;
      try {
        client ??= await open(url);
        const changes = await transact(client, own, number);
        if (changes === null) rolledBack += 1;
        else committed += changes;
      } catch (error) {
        if (isRefusal(error)) {
          await client?.query("ROLLBACK").catch(() => undefined); // the next statement would tell
          rolledBack += 1;
        } else if (passes(error)) {
          client?.end().catch(() => undefined);
          client = null;
          await sleep(50 + own.between(0, 100));
        } else throw error;
      } finally {
        busy -= 1;
      }
    }
    await client?.end().catch(() => undefined);
  }

  const done = Promise.all(Array.from({ length: connections }, (_, number) => write(number)));
  // Surfaces in `stop`; until then a run goes on with the others.
  done.catch((error: unknown) => console.error("a writer failed:", error));
  return {
    get committed() {
      return committed;
    },
    get rolledBack() {
      return rolledBack;
    },
    allow: (changes) => void (allowed = Math.max(allowed, committed) + changes),
    async pause() {
      allowed = 0;
      while (busy > 0) await sleep(5);
    },
    async spent(ms) {
      for (const deadline = Date.now() + ms; committed < allowed && Date.now() < deadline;) await sleep(10);
    },
    async stop() {
      stopped = true;
      await done;
    },
  };
}

async function open(url: string): Promise<Client> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: STATEMENT_MS,
  });
  client.on("error", () => undefined); // its next query tells
  await client.connect();
  return client;
}

/** Postgres chose this transaction to end a deadlock, or had no room for it: rolled back like any other. */
function isRefusal(error: unknown): boolean {
  return /^(40P01|40001|53100|23505)$/.test((error as { code?: string }).code ?? "");
}

/** One transaction. Returns how many changes it committed; null when it was rolled back. */
async function transact(client: Client, dice: Dice, writer: number): Promise<number | null> {
  const commit = !dice.chance(0.15);
  let changes = 0;
  await client.query("BEGIN");
  for (let left = dice.between(1, 6); left > 0; left -= 1) {
    if (!dice.chance(0.1)) {
      changes += await change(client, dice, commit ? `w${writer}` : "never");
      continue;
    }
    await client.query("SAVEPOINT s");
    await change(client, dice, "never");
    await client.query("ROLLBACK TO SAVEPOINT s");
  }
  await client.query(commit ? "COMMIT" : "ROLLBACK");
  return commit ? changes : null;
}

/** One statement, drawn. Returns how many rows it touched. */
async function change(client: Client, dice: Dice, mark: string): Promise<number> {
  const shelf = dice.between(1, SHELVES);
  const id = dice.between(1, SHELF_IDS);
  const size = dice.chance(0.9) ? dice.between(0, 100) : dice.between(100, 4_000);
  const run = async (text: string, values: unknown[]): Promise<number> =>
    (await client.query(text, values)).rowCount ?? 0;
  const kind = dice.next();
  if (kind < 0.3)
    return run(
      `INSERT INTO items VALUES ($1, $2, $3, repeat('x', $4)) ON CONFLICT (shelf, id)
       DO UPDATE SET n = items.n + 1, name = excluded.name`,
      [shelf, id, mark, size],
    );
  if (kind < 0.42)
    return run("UPDATE items SET n = n + 1, name = $3 WHERE shelf = $1 AND id = $2", [shelf, id, mark]);
  if (kind < 0.5) return run("DELETE FROM items WHERE shelf = $1 AND id = $2", [shelf, id]);
  if (kind < 0.56)
    return run(
      `INSERT INTO items SELECT $1, i, $2, repeat('y', $3) FROM generate_series($4::int, $4::int + $5::int) i
       ON CONFLICT (shelf, id) DO UPDATE SET n = items.n + 1`,
      [shelf, mark, dice.between(0, 60), dice.between(1, SHELF_IDS - 40), dice.between(5, 40)],
    );
  if (kind < 0.62) return run("UPDATE items SET n = n + 1, name = $2 WHERE shelf = $1", [shelf, mark]);
  if (kind < 0.64) return run("DELETE FROM items WHERE shelf = $1 AND id % 3 = 0", [shelf]);
  // A new key is a DELETE and an INSERT.
  if (kind < 0.65)
    return run(
      "UPDATE items SET id = id + 1000 WHERE shelf = $1 AND id = $2 AND NOT EXISTS (SELECT FROM items WHERE shelf = $1 AND id = $2 + 1000)",
      [shelf, id],
    );
  if (kind < 0.655)
    // From 10 bytes to 1 MB, as many of each magnitude.
    return run(
      `INSERT INTO items VALUES (0, $1, $2, repeat('z', $3)) ON CONFLICT (shelf, id)
       DO UPDATE SET n = items.n + 1, body = excluded.body`,
      [dice.between(1, LARGE_IDS), mark, Math.round(10 ** (1 + 5 * dice.next()))],
    );
  const order = dice.between(1, ORDERS);
  if (kind < 0.75)
    return run(
      `INSERT INTO orders (id, customer_name, product_name, status, amount) VALUES ($1, $2, 'p', $3, $4)
       ON CONFLICT (id) DO UPDATE SET customer_name = excluded.customer_name, amount = excluded.amount`,
      [order, mark, dice.pick(ORDER_STATUSES), dice.between(0, 99_999) / 100],
    );
  if (kind < 0.87)
    return run("UPDATE orders SET status = $2 WHERE id = $1", [order, dice.pick(ORDER_STATUSES)]);
  if (kind < 0.9) return run("DELETE FROM orders WHERE id = $1", [order]);
  const crate = dice.between(1, CRATES);
  if (kind < 0.96)
    return run("INSERT INTO crates VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET n = crates.n + 1", [
      crate,
      mark,
    ]);
  if (kind < 0.995)
    return run("UPDATE crates SET note = $2, n = n + 1 WHERE id = $1", [crate, `${mark} ${dice.next()}`]);
  await client.query("TRUNCATE crates");
  return 1;
}
