/** What the listener and the ChangeLog say to each other: `/internal/changes`. */
import * as v from "valibot";
import { Operation, Row, Xid } from "./change.ts";

/** Opaque to everyone but `rowcast.read`: a Postgres snapshot, or a place within a window of two. */
export const Cursor = v.pipe(v.string(), v.minLength(1), v.maxLength(100_000));

/** Which database history a cursor belongs to; another one starts a new epoch. */
export const Source = v.pipe(v.string(), v.minLength(1), v.maxLength(200));

/** A row of the outbox as `rowcast.read` writes it: a change that has no number yet. */
export const OutboxChange = v.object({
  id: v.pipe(v.string(), v.regex(/^[0-9]{1,19}$/, "an outbox id is a decimal number in a string")),
  xid: Xid,
  table: v.pipe(v.string(), v.minLength(1)),
  operation: Operation,
  key: v.nullable(Row),
  data: v.nullable(Row),
  old: v.nullable(Row),
  timestamp: v.pipe(v.string(), v.isoTimestamp()),
  truncated: v.optional(v.literal(true)),
});
export type OutboxChange = v.InferOutput<typeof OutboxChange>;

/**
 * `POST /internal/changes`. Stored only when `from` is the stored cursor (null: nothing is stored yet); repeating it is
 * harmless. With `restart`, the history that `from` belongs to has gone: `to` begins a new epoch and `changes` is empty.
 */
export const AppendRequest = v.pipe(
  // Not strict: a listener that is newer may say more.
  v.object({
    source: Source,
    from: v.nullable(Cursor),
    to: Cursor,
    changes: v.array(OutboxChange),
    /** When the outbox was read, by the database's clock: how long changes lay in it is then a matter of one clock. */
    readAt: v.optional(v.pipe(v.string(), v.isoTimestamp())),
    restart: v.optional(v.pipe(v.string(), v.maxLength(500))),
  }),
  v.check(
    (request) => request.changes.length === 0 || (request.from !== null && request.restart === undefined),
    "the first batch of an epoch carries no changes",
  ),
);
export type AppendRequest = v.InferOutput<typeof AppendRequest>;

/** The identity of the last change that the log stored: the row that pruning leaves and that proves the history. */
export const LastChange = v.object({ id: v.string(), xid: v.string(), timestamp: v.string() });
export type LastChange = v.InferOutput<typeof LastChange>;

/** `GET /internal/changes`, the answer to a POST, and the body of a 409: where the log stands. */
export const LogState = v.object({
  /** How many clients are connected: with none, there is no hurry. */
  clients: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  source: v.nullable(Source),
  cursor: v.nullable(Cursor),
  last: v.nullable(LastChange),
  position: v.string(),
});
export type LogState = v.InferOutput<typeof LogState>;
