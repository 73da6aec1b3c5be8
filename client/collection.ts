/**
 * The rows of a table, live. Exact whatever is in flight: what the stream brings while the rows are loaded is kept; then
 * each change that the loaded snapshot shows already is dropped, and the rest applied in order.
 */
import type { Change } from "../protocol/change.ts";
import { toFilter } from "../protocol/filter.ts";
import type { FilterInput } from "../protocol/filter.ts";
import { parseSnapshot } from "../protocol/snapshot.ts";
import type { Snapshot } from "../protocol/snapshot.ts";
import { backoffMs, spreadMs } from "./backoff.ts";
import { defaultEnv } from "./env.ts";
import type { Client } from "./api.ts";
import type { Env } from "./env.ts";
import { emitter, observable } from "./observable.ts";
import type { Observable } from "./observable.ts";
import { applyChange, lacksRow, notIn } from "./rows.ts";
import type { Key, RowChange, TableShape } from "./rows.ts";

export type { RowChange as CollectionChange } from "./rows.ts";

/** `failed`: a load failed and will be tried again. While `reloading` and `failed` the rows of before stay. */
export type CollectionState = "loading" | "ready" | "reloading" | "failed";

export interface LiveCollectionOptions<R> {
  /** Without `status` it is taken for the only one. */
  readonly client: Pick<Client, "on" | "position"> & Partial<Pick<Client, "status">>;
  /** As changes name it: `orders`, `sales."Line items"`. */
  readonly table: string;
  /** From a row, or from its primary key alone. */
  readonly key: (row: R) => Key;
  /** Rows that do not pass are not kept; what `load` returns must pass already. */
  readonly filter?: FilterInput;
  /** The rows from the primary, uncached, with `pg_current_snapshot()` of the same statement. */
  readonly load: () => Promise<{ readonly rows: readonly R[]; readonly snapshot: string }>;
  readonly env?: Partial<Pick<Env, "random" | "setTimeout" | "clearTimeout">>;
}

export interface LiveCollection<R> {
  /** A new map for each batch that touches them. */
  readonly rows: Observable<ReadonlyMap<Key, R>>;
  readonly state: Observable<CollectionState>;
  /** After `rows` has been set: each change that was applied. */
  on(name: "change", listener: (event: RowChange<R>) => void): () => void;
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
  const { random, setTimeout, clearTimeout } = { ...defaultEnv(), ...options.env };
  const shape: TableShape<R> = { table, key, filter: toFilter(options.filter ?? {}) };

  const rows = observable<ReadonlyMap<Key, R>>(new Map());
  const state = observable<CollectionState>("loading");
  const events = emitter<{ change: RowChange<R> }>();

  /** What the rows were loaded from; null before the first load. */
  let snapshot: Snapshot | null = null;
  /** What has come while there is nothing to apply it to; null once joined. */
  let kept: Change[] | null = [];
  /** Loads are told apart by number: one that was overtaken is forgotten. */
  let generation = 0;
  let failures = 0;
  let retry: unknown = null;

  const reload = (): void => {
    const mine = ++generation;
    cancelRetry();
    kept ??= [];
    state.set(snapshot === null ? "loading" : "reloading");
    const attempt = async (): Promise<void> => {
      const loaded = await load();
      const taken = parseSnapshot(loaded.snapshot);
      if (mine === generation) join(loaded.rows, taken);
    };
    attempt().catch(() => {
      if (mine !== generation) return; // overtaken by another load, or closed
      state.set("failed");
      reloadLater(++failures);
    });
  };

  /** Spread out: a row too large to travel makes every client ask for it. */
  const reloadLater = (attempt: number): void => {
    retry ??= setTimeout(reload, backoffMs(attempt, random(), clients()));
  };
  const clients = (): number => client.status?.get()?.connectedClients ?? 0;
  const cancelRetry = (): void => {
    if (retry !== null) clearTimeout(retry);
    retry = null;
  };

  const join = (loaded: readonly R[], taken: Snapshot): void => {
    const waiting = kept ?? [];
    [snapshot, kept, failures] = [taken, null, 0];
    const next = new Map(loaded.map((row) => [key(row), row]));
    const done = apply(next, waiting, taken);
    rows.set(next);
    state.set("ready");
    for (const event of done) events.emit("change", event);
  };

  const receive = (changes: readonly Change[]): void => {
    const mine = changes.filter((change) => change.table === table);
    if (mine.length === 0) return;
    if (kept || !snapshot) {
      kept?.push(...mine);
      return;
    }
    const next = new Map(rows.value.get());
    const done = apply(next, mine, snapshot);
    if (done.length > 0) rows.set(next);
    for (const event of done) events.emit("change", event);
  };

  const apply = (next: Map<Key, R>, changes: readonly Change[], taken: Snapshot): RowChange<R>[] => {
    const done: RowChange<R>[] = [];
    for (const change of notIn(taken, changes)) {
      if (lacksRow(change)) {
        reloadLater(1);
        continue;
      }
      const result = applyChange(next, change, shape);
      if (result) done.push(result);
    }
    return done;
  };

  const restart = (): void => {
    kept = []; // what came before the reset is of no use: the new snapshot shows it, or another history
    const wait = spreadMs(random(), clients());
    if (wait === 0) return reload();
    // Everybody is told in the same moment. A load under way is forgotten, it may be of the other history.
    generation += 1;
    cancelRetry();
    retry = setTimeout(reload, wait);
    state.set(snapshot === null ? "loading" : "reloading");
  };
  const begin = (): void => {
    if (generation === 0) reload();
  };
  const ends = [
    client.on("changes", ({ changes }) => receive(changes)),
    client.on("reset", restart),
    client.on("welcome", begin),
  ];
  if (client.position !== null) begin();

  return {
    rows: rows.value,
    state: state.value,
    on: events.on,
    reload,
    close: () => {
      generation = Infinity;
      cancelRetry();
      for (const end of ends) end();
    },
  };
}
