/** Some of a collection's rows, in an order, kept up to date at the cost of what changes. */
import { observable } from "../observable.ts";
import type { Observable } from "../observable.ts";
import type { Key } from "../rows.ts";

export interface QueryOptions<R> {
  /** Every row when left out. */
  readonly where?: (row: R) => boolean;
  /** By key when left out. Rows that it calls equal are ordered by key. */
  readonly compare?: (a: R, b: R) => number;
  /** The first so many. */
  readonly limit?: number;
}

interface Entry<R> {
  readonly key: Key;
  readonly row: R;
}

export class Query<R> {
  readonly #options: QueryOptions<R>;
  #entries: Entry<R>[] = [];
  readonly #limit: number;
  readonly #shown = observable<readonly R[]>([]);
  #isChanged = false;

  constructor(options: QueryOptions<R>) {
    this.#options = options;
    this.#limit = options.limit ?? Infinity;
  }

  get value(): Observable<readonly R[]> {
    return this.#shown.value;
  }

  /** Everything anew. */
  begin(rows: Iterable<readonly [Key, R]>): void {
    this.#entries = [];
    this.#isChanged = true;
    this.add(rows);
  }

  /** Many rows that were not there before, at the cost of sorting them alone. */
  add(rows: Iterable<readonly [Key, R]>): void {
    const { where = () => true } = this.#options;
    const fresh: Entry<R>[] = [];
    for (const [key, row] of rows) if (where(row)) fresh.push({ key, row });
    if (fresh.length === 0) return;
    fresh.sort((a, b) => this.#compare(a, b));
    const present = this.#entries;
    const merged: Entry<R>[] = [];
    let next = 0;
    for (const entry of fresh) {
      for (
        let other = present[next];
        other !== undefined && this.#compare(other, entry) < 0;
        other = present[next]
      ) {
        merged.push(other);
        next += 1;
      }
      this.#touch(merged.push(entry) - 1);
    }
    for (; next < present.length; next += 1) merged.push(present[next] as Entry<R>);
    this.#entries = merged;
  }

  /** One row is another, has come or has gone. */
  change(key: Key, before: R | undefined, after: R | undefined): void {
    const { where = () => true } = this.#options;
    if (before !== undefined && where(before)) {
      const at = this.#placeOf({ key, row: before });
      this.#entries.splice(at, 1);
      this.#touch(at);
    }
    if (after !== undefined && where(after)) {
      const entry = { key, row: after };
      const at = this.#placeOf(entry);
      this.#entries.splice(at, 0, entry);
      this.#touch(at);
    }
  }

  /** Tells those who follow the query, when its result has changed. */
  settle(): void {
    if (!this.#isChanged) return;
    this.#isChanged = false;
    this.#shown.set(this.#entries.slice(0, this.#limit).map(({ row }) => row));
  }

  #touch(at: number): void {
    if (at < this.#limit) this.#isChanged = true;
  }

  /** Where it stands, or would. */
  #placeOf(entry: Entry<R>): number {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#entries[middle];
      if (other !== undefined && this.#compare(other, entry) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #compare(a: Entry<R>, b: Entry<R>): number {
    return this.#options.compare?.(a.row, b.row) || compareKeys(a.key, b.key);
  }
}

/** Numbers before texts: the keys of rows that are not created yet may be of another kind. */
export function compareKeys(a: Key, b: Key): number {
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
