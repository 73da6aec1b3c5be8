/**
 * The writes of the orders API: one statement each, its conditions within, so that no moment lies between a check and the
 * write. Rows leave through `rowcast.row_json`, exactly as the stream shows them; the answers also say in which transaction.
 */
import type { Order, OrderStatus } from "../../protocol/orders.ts";
import { pinCondition, type PinParams } from "./pin.ts";
import type { NewOrder, OrderChange } from "./schemas.ts";
import type { Write } from "./write.ts";

export interface WrittenOrder {
  readonly data: Order;
  readonly xid: string;
}

export interface WrittenOrders {
  readonly data: Order[];
  /** The ids of those that do not exist. */
  readonly missing: number[];
  readonly xid: string;
}

const readOrder = (response: unknown) => response as WrittenOrder;
const readOrders = (response: unknown) => response as WrittenOrders;

/** Of the row `o` that was written. */
const ANSWER =
  "jsonb_build_object('data', rowcast.row_json(o), 'xid', pg_current_xact_id()::text) as response";

/** Inserts the order. */
export function createOrder({ customer_name, product_name, status, amount }: NewOrder): Write<WrittenOrder> {
  return {
    expressions: (allowed) => `result as (
      insert into public.orders as o (customer_name, product_name, status, amount)
      select $1::text, $2::text, $3::text, $4::numeric where ${allowed}
      returning ${ANSWER}
    )`,
    params: [customer_name, product_name, status, amount],
    read: readOrder,
  };
}

/**
 * Sets the given columns of one order.
 *
 * @param versions the `updated_at` values that let it pass; null for any.
 */
export function updateOrder(
  id: number,
  change: OrderChange,
  versions: readonly string[] | null,
  pin: PinParams,
): Write<WrittenOrder> {
  // The names come from the schema, so they are those of columns and nothing else.
  const columns = Object.keys(change).map((column, index) => `${column} = $${index + 7}`);
  return {
    expressions: (allowed) => `written as (
      update public.orders as o set ${columns.join(", ")} where ${CONDITION} and ${allowed}
      returning ${ANSWER}
    ), ${RESULT}`,
    params: [id, versions, ...pin, ...Object.values(change)],
    read: readOrder,
  };
}

/** Deletes one order; the answer has it as it was. `versions` as for `updateOrder`. */
export function deleteOrder(
  id: number,
  versions: readonly string[] | null,
  pin: PinParams,
): Write<WrittenOrder> {
  return {
    expressions: (allowed) => `written as (
      delete from public.orders as o where ${CONDITION} and ${allowed}
      returning ${ANSWER}
    ), ${RESULT}`,
    params: [id, versions, ...pin],
    read: readOrder,
  };
}

/** Part of the writing statement itself: when another transaction holds the row, Postgres waits and looks again. */
const CONDITION = `o.id = $1::int and ($2::timestamptz[] is null or o.updated_at = any ($2)) and ${pinCondition(3)}`;

/** The answer; null for a row that the condition kept from being written; nothing when there is no row. */
const RESULT = `result as (
  select w.response from (select) as always left join written w on true
   where w.response is not null
      or ($2::timestamptz[] is not null and exists (select from public.orders o where o.id = $1::int and ${pinCondition(3)}))
)`;

/** Sets the status of many orders. Rows are locked in the order of their ids, so that two of these cannot deadlock. */
export function updateStatuses(
  ids: readonly number[],
  status: OrderStatus,
  pin: PinParams,
): Write<WrittenOrders> {
  return {
    expressions: (allowed) => `locked as (
      select o.id from public.orders o
       where o.id = any ($1::int[]) and ${pinCondition(3)} and ${allowed} order by o.id for update
    ), written as (
      update public.orders as o set status = $2 from locked l where o.id = l.id
      returning o.id, rowcast.row_json(o) as data, pg_current_xact_id()::text as xid
    ), result as (
      select jsonb_build_object('xid', max(xid), 'data', jsonb_agg(data order by id), 'missing',
          (select coalesce(jsonb_agg(a.id order by a.id), '[]')
             from unnest($1::int[]) as a (id) where a.id not in (select id from written))) as response
        from written having count(*) > 0
    )`,
    params: [ids, status, ...pin],
    read: readOrders,
  };
}
