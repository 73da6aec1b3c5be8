/** A little shop for the screenshots: orders that look like somebody's, and people who go on ordering. */
import type { Client } from "pg";
import type { OrderStatus } from "../protocol/orders.ts";
import { pick, randomOrder } from "../protocol/random-order.ts";

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
] as const satisfies readonly OrderStatus[];
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

/** The row of one, as text; dearer than what the page and the terminal make up. */
function order(random: () => number, status: OrderStatus): readonly string[] {
  const made = randomOrder(random, { status, prices: { fromCents: 1500, toCents: 181_500 } });
  return [made.customer_name, made.product_name, made.status, made.amount.toFixed(2)];
}

async function insert(database: Client, rows: readonly (readonly string[])[]): Promise<void> {
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
