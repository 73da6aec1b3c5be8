/**
 * The writes that are not confirmed, in the order in which they were made. Pure: each function gives the next list.
 *
 *     made ── sent, nobody knows ──► made ── sent, answered ──► answered ── the stream has brought it ──► gone
 *                                         └─ sent, refused ───► gone, and with a create all that was to be done with its row
 *
 * One that has been answered stays until the stream has brought it, or what is shown would go back to the old row for a moment.
 */
import type { Key } from "../rows.ts";
import type { WriteKind } from "./write.ts";

export interface Write<R> {
  /** Sent each time: its Idempotency-Key. */
  readonly id: string;
  readonly kind: WriteKind;
  readonly key: Key;
  readonly fields: Partial<R>;
  /** The row under the write when it was made; for `create` the draft. */
  readonly base: R;
  readonly since: number;
  readonly attempt: number;
  readonly answer: Answer<R> | null;
  /** A row that has come over the stream and looks like the one that this write was sent to create: not shown beside its draft. */
  readonly twin: Key | null;
}

export interface Answer<R> {
  /** Null for a row that was removed. */
  readonly data: R | null;
  readonly xid: string;
  /** When it came, ms since 1970. */
  readonly at: number;
}

export type Outbox<R> = readonly Write<R>[];

/**
 * What to send next: always the first. When the server can be reached and yet fails for one row, the others go past it.
 *
 * @param held rows that have to wait.
 */
export function nextWrite<R>(outbox: Outbox<R>, held: ReadonlySet<Key>): Write<R> | undefined {
  return outbox.find(({ answer, key }) => answer === null && !held.has(key));
}

export function withAttempt<R>(outbox: Outbox<R>, id: string): Outbox<R> {
  return outbox.map((write) => (write.id === id ? { ...write, attempt: write.attempt + 1 } : write));
}

/**
 * The server has carried it out. A row that was created is known by its own key from now on, and the writes that follow to
 * the same row are writes to the row that was answered.
 */
export function withAnswer<R>(
  outbox: Outbox<R>,
  id: string,
  answer: Answer<R>,
  keyOf: (row: R) => Key,
): Outbox<R> {
  const answered = outbox.find((write) => write.id === id);
  if (answered === undefined) return outbox;
  const { data } = answer;
  const key = answered.kind === "create" && data !== null ? keyOf(data) : answered.key;
  return outbox.map((write) => {
    if (write.id === id) return { ...write, key, answer, twin: null };
    if (write.key !== answered.key || write.answer !== null) return write;
    return { ...write, key, base: data ?? write.base };
  });
}

/** It is refused: what goes with it. A row that is not created takes what was to be done with it along. */
export function refusedWith<R>(outbox: Outbox<R>, id: string): Outbox<R> {
  const refused = outbox.find((write) => write.id === id);
  if (refused === undefined) return [];
  return outbox.filter(
    (write) => write === refused || (refused.kind === "create" && write.key === refused.key),
  );
}

/** A row has come over the stream: which write, sent and not answered, may have created it. */
export function createOf<R>(outbox: Outbox<R>, row: R): Write<R> | undefined {
  return outbox.find(
    ({ kind, attempt, answer, twin, fields }) =>
      kind === "create" &&
      attempt > 0 &&
      answer === null &&
      twin === null &&
      (Object.keys(fields) as (keyof R)[]).every((name) => looksLike(row[name], fields[name])),
  );
}

/** As the server may write it: "7.00" for 7. */
function looksLike(a: unknown, b: unknown): boolean {
  return String(a) === String(b) || Number(a) === Number(b);
}
