/**
 * The rows of a table, live. Exact whatever is in flight: what the stream brings while the rows are loaded is kept; then
 * each change that the loaded snapshot shows already is dropped, and the rest applied in order. Writes are laid over the rows
 * until the stream has brought them.
 */
import type { Change } from "../protocol/change.ts";
import { toFilter } from "../protocol/filter.ts";
import type { FilterInput } from "../protocol/filter.ts";
import { parseSnapshot } from "../protocol/snapshot.ts";
import { backoffMs, spreadMs } from "./backoff.ts";
import { Pages } from "./collection/pages.ts";
import type { WriteStorage } from "./collection/kept-writes.ts";
import type { QueryOptions } from "./collection/query.ts";
import { Store } from "./collection/store.ts";
import { Writes } from "./collection/writes.ts";
import type { PendingWrite, Refusal, WriteCalls } from "./collection/writes.ts";
import { defaultEnv } from "./env.ts";
import type { Client } from "./api.ts";
import type { Env } from "./env.ts";
import { emitter, observable } from "./observable.ts";
import type { Observable } from "./observable.ts";
import type { Key, RowChange, TableShape } from "./rows.ts";

export type { RowChange as CollectionChange } from "./rows.ts";

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

export interface LiveCollectionOptions<R> {
  /** Without `status` it is taken for the only one. */
  readonly client: Pick<Client, "on" | "position"> & Partial<Pick<Client, "status" | "state" | "clock">>;
  /** As changes name it: `orders`, `sales."Line items"`. */
  readonly table: string;
  /** From a row, or from its primary key alone. */
  readonly key: (row: R) => Key;
  /** Rows that do not pass are not kept; what `load` returns must pass already. */
  readonly filter?: FilterInput;
  /** @param after `next` of the page before; undefined for the first. */
  readonly load: (after?: string) => Promise<LoadedPage<R>>;
  /** How to write. Without it, the collection is only read. */
  readonly write?: WriteCalls<R>;
  /** Where writes that have not been answered survive the end of the page. */
  readonly storage?: WriteStorage;
  readonly env?: Partial<Pick<Env, "now" | "random" | "setTimeout" | "clearTimeout">>;
}

interface CollectionEvents<R> {
  readonly change: RowChange<R>;
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
  /**
   * `change`, after `rows` has been set: each change of the stream that was applied. `refused`: a write that was taken
   * back, with the server's reason.
   */
  on<K extends keyof CollectionEvents<R>>(
    name: K,
    listener: (event: CollectionEvents<R>[K]) => void,
  ): () => void;
  /** Loads anew, at once. */
  reload(): void;
  close(): void;
}

/**
 * Opens a collection on a client's stream. Loads after the first welcome, and again after each reset (spread out, when there
 * are many clients), after a failure (with backoff), and when a row was too large to travel.
 */
export function liveCollection<R>(options: LiveCollectionOptions<R>): LiveCollection<R> {
  const { client, table, key, load } = options;
  const env = { ...defaultEnv(), ...options.env };
  const { now, random, setTimeout, clearTimeout } = env;
  const shape: TableShape<R> = { table, key, filter: toFilter(options.filter ?? {}) };

  const store = new Store<R>(key);
  const state = observable<CollectionState>("loading");
  const events = emitter<CollectionEvents<R>>();
  const clients = (): number => client.status?.get()?.connectedClients ?? 0;

  /** What is shown; null before the first page. */
  let pages: Pages<R> | null = null;
  /** What comes while it is not applied to anything yet: until the first page, and through a reload. */
  let kept: Change[] | null = [];
  /** Loads are told apart by number: one that was overtaken is forgotten. */
  let generation = 0;
  let failures = 0;
  let retry: unknown = null;

  const writes =
    options.write &&
    new Writes<R>({
      calls: options.write,
      storage: options.storage,
      keyOf: key,
      shown: (its) => store.row(its).get(),
      server: (its) => store.serverRow(its),
      changed: (keys) => {
        for (const its of keys) store.lay(its, overlay, writes?.isPending(its) ?? false);
        store.settle();
      },
      refused: (refusal) => events.emit("refused", refusal),
      isLive: () => (client.state?.get().name ?? "live") === "live",
      clients,
      env,
    });
  const overlay = (its: Key, row: R | undefined): R | undefined => (writes ? writes.overlay(its, row) : row);

  const reload = (): void => {
    const mine = ++generation;
    cancelRetry();
    kept ??= [];
    state.set(pages === null ? "loading" : "reloading");
    fill(mine).catch(() => {
      if (mine !== generation) return; // overtaken by another load, or closed
      kept ??= [];
      state.set("failed");
      reloadLater(++failures);
    });
  };

  /** Page after page. The first time they are shown as they come, later all at once: until then the rows of before stay. */
  const fill = async (mine: number): Promise<void> => {
    const isFirst = pages === null;
    let loading: Pages<R> | null = null;
    let done: RowChange<R>[] = [];
    let isIncomplete = false;
    for (let after: string | undefined; ;) {
      const sentAt = now();
      const { rows, snapshot, next, timestamp } = await load(after);
      const taken = parseSnapshot(snapshot);
      if (mine !== generation) return;
      if (timestamp !== undefined)
        client.clock?.({ sentAt, receivedAt: now(), serverTime: Date.parse(timestamp) });
      loading ??= new Pages(shape);
      if (loading !== pages) {
        done.push(...loading.apply(kept ?? []).done);
        kept = [];
      }
      const page = loading.add(rows, taken, next === undefined);
      done.push(...page.done);
      isIncomplete ||= page.isIncomplete;
      after = next;
      if (isFirst || loading.isComplete) {
        kept = null;
        if (pages === loading) store.add(page.keys, overlay);
        else store.replace(loading.rows, overlay);
        pages = loading;
        failures = 0;
        if (loading.isComplete) writes?.loaded(taken);
        tell(done);
        done = [];
        state.set(loading.isComplete ? "ready" : "filling");
      }
      if (loading.isComplete) break;
    }
    if (isIncomplete) reloadLater(1);
  };

  /** Spread out: a row too large to travel makes every client ask for it. */
  const reloadLater = (attempt: number): void => {
    retry ??= setTimeout(reload, backoffMs(attempt, random(), clients()));
  };
  const cancelRetry = (): void => {
    if (retry !== null) clearTimeout(retry);
    retry = null;
  };

  const receive = (changes: readonly Change[]): void => {
    const mine = changes.filter((change) => change.table === table);
    if (mine.length === 0) return;
    if (kept || !pages) {
      kept?.push(...mine);
      return;
    }
    const applied = pages.apply(mine);
    store.change(applied.done, overlay);
    if (applied.isIncomplete) reloadLater(1);
    writes?.saw(mine.map(({ xid }) => xid));
    tell(applied.done);
  };

  const tell = (done: readonly RowChange<R>[]): void => {
    store.settle();
    for (const event of done) events.emit("change", event);
  };

  const restart = (): void => {
    kept = []; // what came before the reset is of no use: the new snapshot shows it, or another history
    const wait = spreadMs(random(), clients());
    if (wait === 0) return reload();
    // Everybody is told in the same moment. A load under way is forgotten, it may be of the other history.
    generation += 1;
    cancelRetry();
    retry = setTimeout(reload, wait);
    state.set(pages === null ? "loading" : "reloading");
  };
  const begin = (): void => {
    if (generation === 0) reload();
    writes?.kick();
  };
  const ends = [
    client.on("changes", ({ changes }) => receive(changes)),
    client.on("reset", restart),
    client.on("welcome", begin),
  ];
  if (client.position !== null) begin();

  const writable = (): Writes<R> => {
    if (writes === undefined) throw new TypeError("the collection was opened without `write`");
    return writes;
  };
  return {
    rows: store.rows,
    state: state.value,
    pending: writes?.pending ?? observable([]).value,
    row: (its) => store.row(its),
    query: (wish) => store.query(wish),
    create: (fields) => writable().create(fields),
    update: (its, fields) => writable().update(its, fields),
    remove: (its) => writable().remove(its),
    on: events.on,
    reload,
    close: () => {
      generation = Infinity;
      cancelRetry();
      writes?.close();
      for (const end of ends) end();
    },
  };
}
