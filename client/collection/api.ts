/** What an application gives a live collection, and gets of it. */
import type { FilterInput } from "../../protocol/filter.ts";
import type { Client } from "../api.ts";
import type { Env } from "../env.ts";
import type { Observable } from "../observable.ts";
import type { Key, RowChange } from "../rows.ts";
import type { WriteStorage } from "./kept-writes.ts";
import type { QueryOptions } from "./query.ts";
import type { PendingWrite, Refusal, WriteCalls } from "./write.ts";

/**
 * `filling`: the first page is here, others are on their way. `failed`: a load failed and will be tried again. While
 * `reloading` and `failed` the rows of before stay.
 */
export type CollectionState = "loading" | "filling" | "ready" | "reloading" | "failed";

/** Rows from the primary, uncached, with `pg_current_snapshot()` of the same statement. */
export interface LoadedPage<R> {
  readonly rows: readonly R[];
  readonly snapshot: string;
  /** There is more: `load` is called again with it. Pages follow each other by key, the highest first. */
  readonly next?: string | undefined;
  /** When the statement ran, by the database's clock, ISO 8601: by it the client learns how that clock goes. */
  readonly timestamp?: string | undefined;
}

/** @param after `next` of the page before; undefined for the first. */
export type Load<R> = (after?: string) => Promise<LoadedPage<R>>;

/** What a collection needs of a client. Without `status` it is taken for the only one. */
export type CollectionClient = Pick<Client, "on" | "position"> &
  Partial<Pick<Client, "status" | "state" | "clock">>;

export interface LiveCollectionOptions<R> {
  readonly client: CollectionClient;
  /** As changes name it: `orders`, `sales."Line items"`. */
  readonly table: string;
  /** From a row, or from its primary key alone. */
  readonly key: (row: R) => Key;
  /** Rows that do not pass are not kept; what `load` returns must pass already. */
  readonly filter?: FilterInput;
  readonly load: Load<R>;
  /** How to write. Without it, the collection is only read. */
  readonly write?: WriteCalls<R>;
  /** Where writes that have not been answered survive the end of the page. */
  readonly storage?: WriteStorage;
  readonly env?: Partial<Pick<Env, "now" | "random" | "setTimeout" | "clearTimeout">>;
}

export interface CollectionEvents<R> {
  /** After `rows` has been set: a change of the stream that was applied. */
  readonly change: RowChange<R>;
  /** A write was taken back, with the server's reason. */
  readonly refused: Refusal<R>;
}

export interface LiveCollection<R> {
  /** With the writes that are not confirmed. A new object for each batch that touches them; an older one shows the present too. */
  readonly rows: Observable<ReadonlyMap<Key, R>>;
  readonly state: Observable<CollectionState>;
  /** Writes that are not confirmed, in the order in which they were made. */
  readonly pending: Observable<readonly PendingWrite<R>[]>;
  /** One row: told only when that one is another. */
  row(key: Key): Observable<R | undefined>;
  /** Some rows, in an order: told only when the result is another. Kept up to date while somebody follows it. */
  query(options: QueryOptions<R>): Observable<readonly R[]>;
  /**
   * Shown at once and sent as soon as the server can be reached; taken back when it refuses.
   *
   * @throws {TypeError} when the collection was opened without `write`.
   */
  create(fields: Partial<R>): PendingWrite<R>;
  /** The same. @throws {RangeError} when there is no such row. */
  update(key: Key, fields: Partial<R>): PendingWrite<R>;
  /** The same. @throws {RangeError} when there is no such row. */
  remove(key: Key): PendingWrite<R>;
  /** Returns the function that takes the listener off. */
  on<K extends keyof CollectionEvents<R>>(
    name: K,
    listener: (event: CollectionEvents<R>[K]) => void,
  ): () => void;
  /** Loads anew, at once. */
  reload(): void;
  close(): void;
}
