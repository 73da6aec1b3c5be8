/** The rows of a collection and who follows them: all of them, one row, or a query. */
import { Listeners, observable } from "../observable.ts";
import type { Observable } from "../observable.ts";
import type { Key, RowChange } from "../rows.ts";
import { Query } from "./query.ts";
import type { QueryOptions } from "./query.ts";
import { RowsView } from "./rows-view.ts";

/** A row as it is shown when the server has this one; undefined for none on either side. */
export type Overlay<R> = (key: Key, row: R | undefined) => R | undefined;

export class Store<R> {
  readonly #keyOf: (row: R) => Key;
  readonly #rows = observable<ReadonlyMap<Key, R>>(new Map());
  /** Rows with writes that are not confirmed; null where none is shown. */
  readonly #over = new Map<Key, R | null>();
  readonly #queries = new Set<Query<R>>();
  readonly #listeners = new Map<Key, Listeners<R | undefined>>();
  /** Rows that have changed since everyone was told. */
  readonly #touched = new Set<Key>();
  #server: ReadonlyMap<Key, R> = new Map();
  #view = new RowsView<R>(this.#server, this.#over);

  constructor(keyOf: (row: R) => Key) {
    this.#keyOf = keyOf;
  }

  get rows(): Observable<ReadonlyMap<Key, R>> {
    return this.#rows.value;
  }

  /** As the server has it. */
  serverRow(key: Key): R | undefined {
    return this.#server.get(key);
  }

  row(key: Key): Observable<R | undefined> {
    return {
      get: () => this.#view.get(key),
      subscribe: (listener) => {
        const listeners = this.#listeners.get(key) ?? new Listeners<R | undefined>();
        this.#listeners.set(key, listeners);
        const end = listeners.add(listener);
        return () => {
          end();
          if (listeners.size === 0 && this.#listeners.get(key) === listeners) this.#listeners.delete(key);
        };
      },
    };
  }

  /** Kept up to date while somebody follows it. */
  query(options: QueryOptions<R>): Observable<readonly R[]> {
    const query = new Query(options, this.#keyOf);
    let followers = 0;
    /** The version that it shows, while nobody follows it. */
    let shown: RowsView<R> | null = null;
    const begin = (): void => {
      if (shown === this.#view) return;
      shown = this.#view;
      query.begin(shown.values());
      query.settle();
    };
    return {
      get: () => {
        if (followers === 0) begin();
        return query.value.get();
      },
      subscribe: (listener) => {
        if (followers === 0) {
          begin();
          shown = null;
          this.#queries.add(query);
        }
        followers += 1;
        const end = query.value.subscribe(listener);
        let isOver = false;
        return () => {
          if (isOver) return;
          isOver = true;
          end();
          followers -= 1;
          if (followers === 0) this.#queries.delete(query);
        };
      },
    };
  }

  /** The server's rows are these from now on. The map may change: `change` and `add` tell how. */
  replace(server: ReadonlyMap<Key, R>, overlay: Overlay<R>): void {
    this.#server = server;
    this.#rebuild(overlay);
  }

  /** Rows of which there were none have been loaded. */
  add(keys: Iterable<Key>, overlay: Overlay<R>): void {
    const fresh: R[] = [];
    for (const key of keys) {
      const row = this.#server.get(key);
      if (this.#over.has(key)) this.lay(key, overlay, true);
      else if (row !== undefined) {
        fresh.push(row);
        if (this.#listeners.has(key)) this.#touched.add(key);
      }
    }
    if (fresh.length === 0) return;
    this.#renew();
    for (const query of this.#queries) query.add(fresh);
  }

  /** What has been done to the server's rows, in order. */
  change(done: readonly RowChange<R>[], overlay: Overlay<R>): void {
    // Emptied on the way, it is looked at as it is now.
    if (done.some(({ before, after }) => before === null && after === null)) return this.#rebuild(overlay);
    for (const { before, after } of done) {
      const row = after ?? before;
      if (row === null) continue;
      const key = this.#keyOf(row);
      if (this.#over.has(key)) this.lay(key, overlay, true);
      else this.#changed(key, before ?? undefined, after ?? undefined);
    }
  }

  /** @param isPending whether there are writes of this row that are not confirmed: they, or that there are none any more, have changed. */
  lay(key: Key, overlay: Overlay<R>, isPending: boolean): void {
    const before = this.#view.get(key);
    const server = this.#server.get(key);
    if (isPending) this.#over.set(key, overlay(key, server) ?? null);
    else this.#over.delete(key);
    this.#changed(key, before, this.#view.get(key));
  }

  /** Tells everyone, once for all that has changed. */
  settle(): void {
    if (this.#view === this.#rows.value.get()) return;
    this.#rows.set(this.#view);
    for (const query of this.#queries) query.settle();
    const touched = [...this.#touched];
    this.#touched.clear();
    for (const key of touched) this.#listeners.get(key)?.call(this.#view.get(key));
  }

  #changed(key: Key, before: R | undefined, after: R | undefined): void {
    if (before === after) return;
    this.#renew();
    for (const query of this.#queries) query.change(before, after);
    if (this.#listeners.has(key)) this.#touched.add(key);
  }

  #rebuild(overlay: Overlay<R>): void {
    for (const key of this.#over.keys()) this.#over.set(key, overlay(key, this.#server.get(key)) ?? null);
    this.#renew();
    for (const query of this.#queries) query.begin(this.#view.values());
    for (const key of this.#listeners.keys()) this.#touched.add(key);
  }

  #renew(): void {
    this.#view = new RowsView(this.#server, this.#over);
  }
}
