/** Creating an order, with or without an idempotency key. */
import { parseExact } from "../../protocol/exact-json.ts";
import type { Order } from "../../protocol/orders.ts";
import type { Database } from "../database/database.ts";
import { DatabaseError } from "../database/failure.ts";
import { Problem } from "../http/problem.ts";
import type { NewOrder } from "./schemas.ts";

export interface Created {
  readonly order: Order;
  readonly xid: string;
  /** It was created by an earlier request with the same key. */
  readonly replayed: boolean;
}

interface CreatedRow {
  readonly data: string;
  readonly xid: string;
  /** Of the earlier request, when this one is a repetition. */
  readonly fingerprint: string | null;
}

/** Inserts the order. */
export async function createOrder(database: Database, order: NewOrder): Promise<Created> {
  const [row] = await database.query<CreatedRow>(
    `insert into public.orders as o (customer_name, product_name, status, amount)
     values ($1, $2, $3, $4)
     returning rowcast.row_json(o)::text as data, pg_current_xact_id()::text as xid, null as fingerprint`,
    columnsOf(order),
  );
  return toCreated(row);
}

/**
 * Inserts the order once per key: a repetition gets the first answer again.
 *
 * @throws {Problem} `idempotency_key_reused` when the key belongs to another order.
 */
export async function createOrderOnce(database: Database, order: NewOrder, key: string): Promise<Created> {
  const fingerprint = await fingerprintOf(order);
  let row: CreatedRow | undefined;
  try {
    row = await insertOnce(database, order, key, fingerprint);
  } catch (error) {
    // The same key at the same moment: the other one has it now, and this statement's order was rolled back.
    if (!isKeyTaken(error)) throw error;
    row = await insertOnce(database, order, key, fingerprint);
  }
  if (row && row.fingerprint !== null && row.fingerprint !== fingerprint) {
    const message = "belongs to an earlier request with another body; take a new key for a new order";
    throw new Problem("idempotency_key_reused", `The Idempotency-Key ${message}.`, {
      issues: [{ field: "Idempotency-Key", message }],
    });
  }
  return toCreated(row);
}

/** Order and key are written by one statement: both or none. */
async function insertOnce(database: Database, order: NewOrder, key: string, fingerprint: string) {
  const [row] = await database.query<CreatedRow>(
    `with earlier as (
       select fingerprint, response from rowcast.idempotency_keys where key = $5
     ), written as (
       insert into public.orders as o (customer_name, product_name, status, amount)
       select $1::text, $2::text, $3::text, $4::numeric where not exists (select from earlier)
       returning rowcast.row_json(o) as data, pg_current_xact_id()::text as xid
     ), kept as (
       insert into rowcast.idempotency_keys (key, fingerprint, response)
       select $5, $6, jsonb_build_object('data', data, 'xid', xid) from written
     )
     select data::text as data, xid, null as fingerprint from written
     union all
     select (response -> 'data')::text, response ->> 'xid', fingerprint from earlier`,
    [...columnsOf(order), key, fingerprint],
    { repeatable: true }, // the key says whether it was done
  );
  return row;
}

function columnsOf({ customer_name, product_name, status, amount }: NewOrder) {
  return [customer_name, product_name, status, amount];
}

function toCreated(row: CreatedRow | undefined): Created {
  if (!row) throw new Error("an insert gave no row");
  return { order: parseExact(row.data) as Order, xid: row.xid, replayed: row.fingerprint !== null };
}

function isKeyTaken(error: unknown): boolean {
  return (
    error instanceof DatabaseError &&
    error.sqlState === "23505" &&
    error.constraint?.startsWith("idempotency_keys") === true
  );
}

/** Of the order that the body means: how it was spelled, and a default written out, make no difference. */
async function fingerprintOf(order: NewOrder): Promise<string> {
  const text = new TextEncoder().encode(JSON.stringify(columnsOf(order)));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", text));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
