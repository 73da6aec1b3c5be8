/** One change of one row, as clients receive it. */
import * as v from "valibot";
import { anyRecord } from "./record.ts";

export const Operation = v.picklist(["INSERT", "UPDATE", "DELETE", "TRUNCATE"]);
export type Operation = v.InferOutput<typeof Operation>;

/** A row, or part of one, as Postgres' `to_jsonb` writes it: numbers exact in the text, timestamps in UTC. */
export const Row = anyRecord();
export type Row = v.InferOutput<typeof Row>;

/** A transaction id (xid8) in decimal: it may be larger than a JavaScript number can hold. */
export const Xid = v.pipe(
  v.string(),
  v.regex(/^[0-9]{1,20}$/, "a transaction id is a decimal number in a string"),
);

export const Change = v.object({
  /** The number of this change within its epoch, contiguous from 1. */
  seq: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  /** The transaction that made it: what a write through the API answered, and what snapshots are compared with. */
  xid: Xid,
  /** As SQL would name it with only `public` in the search path: `orders`, `sales."Line items"`. */
  table: v.string(),
  operation: Operation,
  /** The primary key; null for TRUNCATE. */
  key: v.nullable(Row),
  /** The new row; for DELETE the row as it was; null for TRUNCATE and when `truncated`. */
  data: v.nullable(Row),
  /** UPDATE: the former values of the columns that changed. */
  old: v.nullable(Row),
  /** When the statement ran, by the database's clock, ISO 8601 with microseconds. */
  timestamp: v.string(),
  /** The row was too large for a message: only the key is here, the row itself must be fetched. */
  truncated: v.optional(v.literal(true)),
  /** With `fold=1`, for a client that was behind: so many earlier changes of this row are folded into this one. */
  folded: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
});
export type Change = v.InferOutput<typeof Change>;

/** The name of an SSE event for a change: `orders:update`. */
export function eventName(change: Pick<Change, "table" | "operation">): string {
  return `${change.table}:${change.operation.toLowerCase()}`;
}
