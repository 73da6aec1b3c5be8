/** A little shop for the screenshots: orders that look like somebody's, and people who go on ordering. */
import type { Client } from "pg";

const FIRST = [
  "Ada",
  "Grace",
  "Alan",
  "Katherine",
  "Edsger",
  "Barbara",
  "Donald",
  "Radia",
  "Leslie",
  "Hedy",
  "Tim",
  "Margaret",
];
const LAST = [
  "Lovelace",
  "Hopper",
  "Turing",
  "Johnson",
  "Dijkstra",
  "Liskov",
  "Knuth",
  "Perlman",
  "Lamport",
  "Lamarr",
  "Lee",
  "Hamilton",
];
const PRODUCTS = [
  "Mechanical keyboard",
  "Desk lamp, brass",
  "Espresso machine",
  "Noise-cancelling headphones",
  "Standing desk, oak",
  "Trackball",
  "Field notebook, pack of 3",
  "Ultrawide monitor",
  "Wool blanket",
  "Travel adapter",
];
/** How far orders have got, most of them far. */
const STATUSES = [
  "pending",
  "processing",
  "processing",
  "shipped",
  "shipped",
  "delivered",
  "delivered",
  "completed",
  "completed",
  "completed",
  "completed",
  "cancelled",
];
const ORDERS = 2400;
const INSERT =
  "INSERT INTO orders (customer_name, product_name, status, amount) SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::numeric[])";

/** Numbers that look drawn, and are the same in each run. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

function pick<T>(list: readonly T[], random: () => number): T {
  const found = list[Math.floor(random() * list.length)];
  if (found === undefined) throw new RangeError("nothing to pick from");
  return found;
}

const order = (random: () => number, status: string) => [
  `${pick(FIRST, random)} ${pick(LAST, random)}`,
  pick(PRODUCTS, random),
  status,
  (Math.round(1500 + random() ** 3 * 180_000) / 100).toFixed(2),
];

async function insert(database: Client, rows: readonly string[][]): Promise<void> {
  await database.query(
    INSERT,
    [0, 1, 2, 3].map((column) => rows.map((row) => row[column])),
  );
}

export async function fillShop(database: Client): Promise<void> {
  const random = dice(7);
  await insert(
    database,
    Array.from({ length: ORDERS }, () => order(random, pick(STATUSES, random))),
  );
}

/** What happens in the shop, in waves, until `signal`. */
export async function runShop(database: Client, signal: AbortSignal): Promise<void> {
  const random = dice(11);
  for (let turn = 0; !signal.aborted; turn++) {
    const wave = 1 + Math.round(2 + 2 * Math.sin(turn / 18) + random());
    // half of them among the newest, which are to be seen
    const among = turn % 2 === 0 ? 24 : ORDERS;
    await database.query(
      `UPDATE orders SET status = CASE status WHEN 'pending' THEN 'processing' WHEN 'processing' THEN 'shipped'
         WHEN 'shipped' THEN 'delivered' ELSE 'completed' END
       WHERE id IN (
         SELECT id FROM (SELECT id, status FROM orders ORDER BY id DESC LIMIT $3) newest
         WHERE status NOT IN ('completed', 'cancelled') ORDER BY md5(id::text || $1::text) LIMIT $2)`,
      [turn, among === ORDERS ? wave : 1, among],
    );
    if (random() < 0.35) await insert(database, [order(random, "pending")]);
    if (random() < 0.05)
      await database.query(
        "DELETE FROM orders WHERE id = (SELECT id FROM orders ORDER BY id DESC OFFSET 5 LIMIT 1)",
      );
    await new Promise((resolve) => setTimeout(resolve, 150 + 300 * random()));
  }
}
