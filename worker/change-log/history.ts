/**
 * What the ChangeLog keeps: where it stands in the source (cursor), the numbers it gave out (epoch, seq) and the recent
 * changes themselves. One row per batch, because a row is a billed write; the newest batch carries the cursor, so that
 * appending is that one write. Everything here is synchronous: a batch and its cursor are stored together or not at all.
 */
import type { LastChange, LogState } from "../../protocol/ingest.ts";
import type { ResetReason } from "../../protocol/messages.ts";
import { formatPosition, type Position } from "../../protocol/position.ts";

export interface HistoryLimits {
  /** Changes that stay readable; the newest batch always does. */
  maxChanges: number;
  maxAgeMs: number;
}

/** A run of numbered changes. `text` holds their JSON, joined with `SEPARATOR`; it may be empty, then from = to. */
export interface Batch {
  epoch: string;
  /** The number before the first change. */
  from: number;
  /** The number of the last change. */
  to: number;
  text: string;
}

/** A batch on its way in, its changes encoded but not numbered. */
export interface Delivery {
  source: string;
  from: string | null;
  to: string;
  changes: readonly string[];
  last: LastChange | null;
  /** When the outbox was read, by the database's clock, in the form of a change's timestamp. */
  readAt?: string | undefined;
  restart?: string | undefined;
}

export type ReadResult = { ok: true; batch: Batch } | { ok: false; reason: ResetReason };

/**
 * Between two changes of a batch. JSON never holds a raw line feed, so that a batch is taken apart without parsing it,
 * and as it stands it is the inside of a JSON array.
 */
export const SEPARATOR = ",\n";

/** How far history reaches back; all null when it is empty. */
export interface HistoryReach {
  /** The number of the oldest change. */
  readonly first: number | null;
  /** When its batch came, and when the newest did; ms since 1970. */
  readonly oldestAt: number | null;
  readonly newestAt: number | null;
}

interface Head {
  epoch: string;
  source: string | null;
  cursor: string | null;
  seq: number;
  last: LastChange | null;
}

interface BatchRow extends Record<string, SqlStorageValue> {
  seq: number;
  first: number;
  at: number;
  body: string;
}

export class History {
  readonly #storage: DurableObjectStorage;
  readonly #limits: HistoryLimits;
  #head: Head;
  /** The oldest change that is still here, and when its batch came; null when there is none. */
  #oldest: { first: number; at: number } | null;

  /** @param newEpoch mints an epoch: random, short, of digits and lower-case letters. */
  constructor(storage: DurableObjectStorage, limits: HistoryLimits, newEpoch: () => string) {
    this.#storage = storage;
    this.#limits = limits;
    // `seq` is the primary key without AUTOINCREMENT, and there is no index: each would double the rows written.
    storage.sql.exec(`
      CREATE TABLE IF NOT EXISTS epoch (
        one INTEGER PRIMARY KEY CHECK (one = 1), name TEXT NOT NULL, source TEXT, cursor TEXT);
      CREATE TABLE IF NOT EXISTS batches (
        seq INTEGER PRIMARY KEY, first INTEGER NOT NULL, at INTEGER NOT NULL, cursor TEXT NOT NULL,
        last_id TEXT NOT NULL, last_xid TEXT NOT NULL, last_at TEXT NOT NULL, body TEXT NOT NULL);
    `);
    storage.sql.exec("INSERT OR IGNORE INTO epoch (one, name) VALUES (1, ?)", newEpoch());
    this.#head = this.#loadHead();
    this.#oldest = this.#loadOldest();
  }

  get position(): Position {
    return { epoch: this.#head.epoch, seq: this.#head.seq };
  }

  /** Where the log stands, as the listener is told. */
  get state(): LogState {
    const { source, cursor, last } = this.#head;
    return { source, cursor, last, position: formatPosition(this.position) };
  }

  reach(): HistoryReach {
    const [newest] = this.#storage.sql
      .exec<{ at: number }>("SELECT at FROM batches ORDER BY seq DESC LIMIT 1")
      .toArray();
    const { first = null, at = null } = this.#oldest ?? {};
    return { first, oldestAt: at, newestAt: newest?.at ?? null };
  }

  /**
   * Compare and set: stores the delivery when it begins where the log stands.
   *
   * @returns the numbered batch (empty for a heartbeat), `restarted` when a new epoch began, `conflict` when the
   *   delivery begins elsewhere: then nothing was done and the answer is the present state.
   */
  append(
    delivery: Delivery,
    now: number,
    newEpoch: () => string,
  ): { kind: "stored"; batch: Batch } | { kind: "restarted" } | { kind: "conflict" } {
    const head = this.#head;
    if (delivery.from !== head.cursor) return { kind: "conflict" };
    if (head.cursor === null || delivery.restart !== undefined) {
      // The first time too: what was committed between a client's welcome and this beginning is not in the log.
      this.#begin(newEpoch(), delivery.source, delivery.to);
      return { kind: "restarted" };
    }
    if (delivery.source !== head.source) return { kind: "conflict" };
    const { last } = delivery;
    if (delivery.changes.length === 0 || last === null) {
      this.#moveCursor(delivery.to);
      return { kind: "stored", batch: this.#emptyBatch() };
    }
    const from = head.seq;
    const to = from + delivery.changes.length;
    const text = delivery.changes
      .map((change, index) => `{"seq":${from + index + 1},${change.slice(1)}`)
      .join(SEPARATOR);
    this.#storage.transactionSync(() => {
      this.#storage.sql.exec(
        `INSERT INTO batches (seq, first, at, cursor, last_id, last_xid, last_at, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        to,
        from + 1,
        now,
        delivery.to,
        last.id,
        last.xid,
        last.timestamp,
        text,
      );
      this.#trim(to, now);
    });
    this.#head = { ...head, cursor: delivery.to, seq: to, last };
    this.#oldest ??= { first: from + 1, at: now };
    return { kind: "stored", batch: { epoch: head.epoch, from, to, text } };
  }

  /**
   * The changes after a position, oldest first: as many whole batches as fit `maxChars`, at least one; empty at the head.
   * `maxChanges` cuts within a batch.
   */
  read(since: Position, maxChars: number, maxChanges = Number.MAX_SAFE_INTEGER): ReadResult {
    const head = this.#head;
    if (since.epoch !== head.epoch) return { ok: false, reason: "epoch" };
    if (since.seq > head.seq) return { ok: false, reason: "future" };
    if (since.seq === head.seq) return { ok: true, batch: this.#emptyBatch() };
    if (!this.reaches(since)) return { ok: false, reason: "expired" };
    const texts: string[] = [];
    let [chars, to] = [0, since.seq];
    const rows = this.#storage.sql.exec<BatchRow>(
      "SELECT seq, first, at, body FROM batches WHERE seq > ? ORDER BY seq",
      since.seq,
    );
    for (const row of rows) {
      if (texts.length > 0 && (chars + row.body.length > maxChars || to - since.seq >= maxChanges)) break;
      const batch = cut(
        { epoch: head.epoch, from: row.first - 1, to: row.seq, text: row.body },
        to,
        since.seq + maxChanges,
      );
      texts.push(batch.text);
      chars += batch.text.length;
      to = batch.to;
    }
    return { ok: true, batch: { epoch: head.epoch, from: since.seq, to, text: texts.join(SEPARATOR) } };
  }

  /** Whether everything after a position of this epoch is still here. */
  reaches({ epoch, seq }: Position): boolean {
    return epoch === this.#head.epoch && this.#oldest !== null && seq >= this.#oldest.first - 1;
  }

  #begin(epoch: string, source: string, cursor: string): void {
    this.#storage.transactionSync(() => {
      this.#storage.sql.exec("DELETE FROM batches");
      this.#storage.sql.exec("UPDATE epoch SET name = ?, source = ?, cursor = ?", epoch, source, cursor);
    });
    this.#head = { epoch, source, cursor, seq: 0, last: null };
    this.#oldest = null;
  }

  #moveCursor(cursor: string): void {
    if (cursor === this.#head.cursor) return;
    if (this.#oldest === null) this.#storage.sql.exec("UPDATE epoch SET cursor = ?", cursor);
    else this.#storage.sql.exec("UPDATE batches SET cursor = ? WHERE seq = ?", cursor, this.#head.seq);
    this.#head = { ...this.#head, cursor };
  }

  /** Whole batches go, once a twentieth more than the limit is here, so that not every append deletes. */
  #trim(seq: number, now: number): void {
    const { maxChanges, maxAgeMs } = this.#limits;
    const oldest = this.#oldest;
    if (oldest === null) return;
    const [kept, age] = [seq - oldest.first + 1, now - oldest.at];
    if (kept <= maxChanges * 1.05 && age <= maxAgeMs * 1.05) return;
    this.#storage.sql.exec(
      "DELETE FROM batches WHERE seq < ? AND (seq <= ? OR at < ?)",
      seq,
      seq - maxChanges,
      now - maxAgeMs,
    );
    this.#oldest = this.#loadOldest();
  }

  #emptyBatch(): Batch {
    const { epoch, seq } = this.#head;
    return { epoch, from: seq, to: seq, text: "" };
  }

  #loadHead(): Head {
    const epoch = this.#storage.sql
      .exec<{ name: string; source: string | null; cursor: string | null }>(
        "SELECT name, source, cursor FROM epoch",
      )
      .one();
    const [newest] = this.#storage.sql
      .exec<{ seq: number; cursor: string; last_id: string; last_xid: string; last_at: string }>(
        "SELECT seq, cursor, last_id, last_xid, last_at FROM batches ORDER BY seq DESC LIMIT 1",
      )
      .toArray();
    if (newest === undefined) {
      return { epoch: epoch.name, source: epoch.source, cursor: epoch.cursor, seq: 0, last: null };
    }
    const last = { id: newest.last_id, xid: newest.last_xid, timestamp: newest.last_at };
    return { epoch: epoch.name, source: epoch.source, cursor: newest.cursor, seq: newest.seq, last };
  }

  #loadOldest(): { first: number; at: number } | null {
    const rows = this.#storage.sql.exec<{ first: number; at: number }>(
      "SELECT first, at FROM batches ORDER BY seq LIMIT 1",
    );
    return rows.toArray()[0] ?? null;
  }
}

/** The part of a batch after `from` and up to `to`, both within it or beyond its ends. */
export function cut(batch: Batch, from: number, to = batch.to): Batch {
  if (from <= batch.from && to >= batch.to) return batch;
  const [first, last] = [Math.max(from, batch.from), Math.min(to, batch.to)];
  const texts = batch.text.split(SEPARATOR).slice(first - batch.from, last - batch.from);
  return { epoch: batch.epoch, from: first, to: last, text: texts.join(SEPARATOR) };
}
