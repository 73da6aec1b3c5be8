/**
 * The statements of the orders API: one each, so that rows, totals and snapshot (or a condition and the write under it)
 * belong to one moment. Rows leave through `rowcast.row_json`, exactly as the stream shows them.
 */
import { parseExact } from "../../protocol/exact-json.ts";
import type { Order, OrderStatus } from "../../protocol/orders.ts";
import type { Database, QueryOptions } from "../database/database.ts";
import { pinCondition, type PinParams } from "./pin.ts";
import type { OrderChange, OrderStats } from "./schemas.ts";

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

/** Counts over all orders inside the pin. */
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
                count(distinct customer_name) as unique_customers,
                max(updated_at) as last_updated
           from public.orders o where ${pinCondition(1)}
       ) s`,
    pin,
    READ,
  );
  return { stats: JSON.parse(row.stats) as OrderStats, snapshot: row.snapshot };
}

export interface Written {
  readonly order: Order;
  readonly xid: string;
}

/** The order was not written: there is none with the id, or its version is not one of those that were asked for. */
export type NotWritten = "missing" | "changed";

/**
 * Sets the given columns of one order.
 *
 * @param versions the `updated_at` values that let it pass; null for any.
 */
export async function updateOrder(
  database: Database,
  id: number,
  change: OrderChange,
  versions: readonly string[] | null,
  pin: PinParams,
): Promise<Written | NotWritten> {
  // The names come from the schema, so they are those of columns and nothing else.
  const columns = Object.keys(change).map((column, index) => `${column} = $${index + 7}`);
  const [row] = await database.query<WriteRow>(
    `with written as (
       update public.orders as o set ${columns.join(", ")} where ${CONDITION}
       returning rowcast.row_json(o)::text as data, pg_current_xact_id()::text as xid
     ) ${WRITE_RESULT}`,
    [id, versions, ...pin, ...Object.values(change)],
  );
  return toWritten(row);
}

/** Deletes one order and gives it back as it was. `versions` as for `updateOrder`. */
export async function deleteOrder(
  database: Database,
  id: number,
  versions: readonly string[] | null,
  pin: PinParams,
): Promise<Written | NotWritten> {
  const [row] = await database.query<WriteRow>(
    `with written as (
       delete from public.orders as o where ${CONDITION}
       returning rowcast.row_json(o)::text as data, pg_current_xact_id()::text as xid
     ) ${WRITE_RESULT}`,
    [id, versions, ...pin],
  );
  return toWritten(row);
}

/** Part of the writing statement itself: when another transaction holds the row, Postgres waits and looks again. */
const CONDITION = `o.id = $1::int and ($2::timestamptz[] is null or o.updated_at = any ($2)) and ${pinCondition(3)}`;

/** The row that was written, or, with nulls, the one that the condition kept from it; no row when there is none. */
const WRITE_RESULT = `select w.data, w.xid
   from (select) as always left join written w on true
  where w.data is not null
     or ($2::timestamptz[] is not null and exists (select from public.orders o where o.id = $1::int and ${pinCondition(3)}))`;

interface WriteRow {
  readonly data: string | null;
  readonly xid: string | null;
}

function toWritten(row: WriteRow | undefined): Written | NotWritten {
  if (!row) return "missing";
  if (row.data === null || row.xid === null) return "changed";
  return { order: parseExact(row.data) as Order, xid: row.xid };
}

export interface BulkWritten {
  readonly orders: Order[];
  readonly missing: number[];
  /** Null when nothing was written. */
  readonly xid: string | null;
}

/** Sets the status of many orders. Rows are locked in the order of their ids, so that two of these cannot deadlock. */
export async function updateStatuses(
  database: Database,
  ids: readonly number[],
  status: OrderStatus,
  pin: PinParams,
): Promise<BulkWritten> {
  const row = await one<{ orders: string; missing: string; xid: string | null }>(
    database,
    `with locked as (
       select o.id from public.orders o where o.id = any ($1::int[]) and ${pinCondition(3)} order by o.id for update
     ), written as (
       update public.orders as o set status = $2 from locked l where o.id = l.id
       returning o.id, rowcast.row_json(o) as data, pg_current_xact_id()::text as xid
     )
     select coalesce(jsonb_agg(data order by id), '[]')::text as orders,
            (select coalesce(jsonb_agg(a.id order by a.id), '[]')
               from unnest($1::int[]) as a (id) where a.id not in (select id from written))::text as missing,
            max(xid) as xid
       from written`,
    [ids, status, ...pin],
  );
  return {
    orders: parseExact(row.orders) as Order[],
    missing: JSON.parse(row.missing) as number[],
    xid: row.xid,
  };
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
