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

export class Query<R> {
  readonly #keyOf: (row: R) => Key;
  readonly #where: (row: R) => boolean;
  readonly #wish: ((a: R, b: R) => number) | undefined;
  readonly #limit: number;
  /** Every row that passes, sorted: the result is the beginning of it. */
  #sorted: R[] = [];
  readonly #shown = observable<readonly R[]>([]);
  #isChanged = false;

  constructor({ where = () => true, compare, limit = Infinity }: QueryOptions<R>, keyOf: (row: R) => Key) {
    [this.#keyOf, this.#where, this.#wish, this.#limit] = [keyOf, where, compare, limit];
  }

  get value(): Observable<readonly R[]> {
    return this.#shown.value;
  }

  /** Everything anew. */
  begin(rows: Iterable<R>): void {
    this.#sorted = [];
    this.#isChanged = true;
    this.add(rows);
  }

  /** Many rows that were not there before, at the cost of sorting them alone. */
  add(rows: Iterable<R>): void {
    const fresh: R[] = [];
    for (const row of rows) if (this.#where(row)) fresh.push(row);
    fresh.sort((a, b) => this.#compare(a, b));
    const merged: R[] = [];
    let next = 0;
    for (const row of fresh) {
      for (; next < this.#sorted.length; next += 1) {
        const present = this.#sorted[next] as R;
        if (this.#compare(present, row) >= 0) break;
        merged.push(present);
      }
      this.#touch(merged.push(row) - 1);
    }
    for (; next < this.#sorted.length; next += 1) merged.push(this.#sorted[next] as R);
    this.#sorted = merged;
  }

  /** One row is another, has come or has gone. */
  change(before: R | undefined, after: R | undefined): void {
    if (before !== undefined && this.#where(before)) {
      const at = this.#placeOf(before);
      this.#sorted.splice(at, 1);
      this.#touch(at);
    }
    if (after !== undefined && this.#where(after)) {
      const at = this.#placeOf(after);
      this.#sorted.splice(at, 0, after);
      this.#touch(at);
    }
  }

  /** Tells those who follow the query, when its result has changed. */
  settle(): void {
    if (!this.#isChanged) return;
    this.#isChanged = false;
    this.#shown.set(this.#sorted.slice(0, this.#limit));
  }

  #touch(at: number): void {
    if (at < this.#limit) this.#isChanged = true;
  }

  /** Where it stands, or would. */
  #placeOf(row: R): number {
    let [low, high] = [0, this.#sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(this.#sorted[middle] as R, row) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #compare(a: R, b: R): number {
    return this.#wish?.(a, b) || compareKeys(this.#keyOf(a), this.#keyOf(b));
  }
}

/** Numbers before texts: the keys of rows that are not created yet may be of another kind. */
export function compareKeys(a: Key, b: Key): number {
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
