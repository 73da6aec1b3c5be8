/**
 * The list of orders. By time, newest first, a page has a number (`offset`) and the list a length; by id (`before`) each
 * page says where the next begins: that costs the same at any depth, and neither misses nor repeats what was there all along.
 */
import { parseExact } from "../../protocol/exact-json.ts";
import type { Order } from "../../protocol/orders.ts";
import type { Database } from "../database/database.ts";
import { pinCondition, type PinParams } from "./pin.ts";
import type { ListQuery } from "./schemas.ts";

export interface OrderPage {
  readonly orders: Order[];
  /** How many match in all; null when nobody asked. */
  readonly total: number | null;
  readonly hasMore: boolean;
  readonly snapshot: string;
  /** The database's clock as the statement ran, in the form of a change's `timestamp`. */
  readonly timestamp: string;
}

interface PageRow {
  readonly orders: string;
  readonly total: number | null;
  readonly snapshot: string;
  readonly timestamp: string;
}

/** A page of the orders that match: rows, total and snapshot belong to one moment. */
export async function listOrders(database: Database, query: ListQuery, pin: PinParams): Promise<OrderPage> {
  const { status = null, customer_name = null, before, limit, offset, total } = query;
  const order = before === undefined ? "created_at desc, id desc" : "id desc";
  const counted = total && before === undefined;
  const params = [
    status,
    customer_name === null ? null : `%${escapeLike(customer_name)}%`,
    limit + 1, // one more, to know whether there is one
    before ?? offset,
    ...pin,
  ];
  const [row] = await database.query<PageRow>(
    `with page as (
       select o as row, created_at, id from public.orders o
        where ${FILTER} ${before === undefined ? "" : "and o.id < $4::bigint"}
        order by ${order} limit $3::int ${before === undefined ? "offset $4::bigint" : ""}
     )
     select (select coalesce(json_agg(rowcast.row_json(row) order by ${order}), '[]') from page)::text as orders,
            ${counted ? `(select count(*) from public.orders o where ${FILTER})::int` : "null::int"} as total,
            pg_current_snapshot()::text as snapshot,
            to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as timestamp`,
    params,
    { repeatable: true },
  );
  if (row === undefined) throw new Error("a statement that always gives one row gave none");
  const orders = parseExact(row.orders) as Order[];
  return { ...row, orders: orders.slice(0, limit), hasMore: orders.length > limit };
}

const FILTER = `($1::text[] is null or o.status = any ($1)) and ($2::text is null or o.customer_name ilike $2)
  and ${pinCondition(5)}`;

/** Text that LIKE takes literally. */
function escapeLike(text: string): string {
  return text.replaceAll(/[\\%_]/g, "\\$&");
}
