/**
 * One order, and the counts of all: a statement each, so that what is read and its snapshot belong to one moment. Rows
 * leave through `rowcast.row_json`, exactly as the stream shows them.
 */
import { parseExact } from "../../protocol/exact-json.ts";
import type { Order } from "../../protocol/orders.ts";
import type { Database, QueryOptions } from "../database/database.ts";
import { pinCondition, type PinParams } from "./pin.ts";
import type { OrderStats } from "./schemas.ts";

/** One order with the snapshot it was seen in; null when there is none. */
export async function findOrder(
  database: Database,
  id: number,
  pin: PinParams,
): Promise<{ order: Order; snapshot: string } | null> {
  const [row] = await database.query<{ data: string; snapshot: string }>(
    `select rowcast.row_json(o)::text as data, pg_current_snapshot()::text as snapshot
       from public.orders o where o.id = $1::int and ${pinCondition(2)}`,
    [id, ...pin],
    READ,
  );
  return row ? { order: parseExact(row.data) as Order, snapshot: row.snapshot } : null;
}

/** Counts over all orders inside the pin. (Customers apart: a count of distinct names sorts all rows, groups are hashed.) */
export async function countOrders(
  database: Database,
  pin: PinParams,
): Promise<{ stats: OrderStats; snapshot: string }> {
  const row = await one<{ stats: string; snapshot: string }>(
    database,
    `select rowcast.row_json(s)::text as stats, pg_current_snapshot()::text as snapshot
       from (
         select count(*) as total_orders,
                count(*) filter (where status = 'pending') as pending_orders,
                count(*) filter (where status = 'processing') as processing_orders,
                count(*) filter (where status = 'shipped') as shipped_orders,
                count(*) filter (where status = 'delivered') as delivered_orders,
                count(*) filter (where status = 'completed') as completed_orders,
                count(*) filter (where status = 'cancelled') as cancelled_orders,
                (select count(*) from (
                   select from public.orders o where ${pinCondition(1)} group by o.customer_name
                 ) customers) as unique_customers,
                max(updated_at) as last_updated
           from public.orders o where ${pinCondition(1)}
       ) s`,
    pin,
    READ,
  );
  return { stats: JSON.parse(row.stats) as OrderStats, snapshot: row.snapshot };
}

/** Asked as often as need be until there is an answer. */
const READ: QueryOptions = { repeatable: true };

async function one<T>(
  database: Database,
  text: string,
  params: readonly unknown[],
  options?: QueryOptions,
): Promise<T> {
  const [row] = await database.query<T>(text, params, options);
  if (row === undefined) throw new Error("a statement that always gives one row gave none");
  return row;
}
