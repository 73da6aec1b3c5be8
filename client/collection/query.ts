/** Some of a collection's rows, in an order, kept up to date at the cost of what changes. */
import { observable } from "../observable.ts";
import type { Observable } from "../observable.ts";
import type { Key } from "../rows.ts";
import { Sorted } from "./sorted.ts";

export interface QueryOptions<R> {
  /** Every row when left out. */
  readonly where?: (row: R) => boolean;
  /** By key when left out. Rows that it calls equal are ordered by key. */
  readonly compare?: (a: R, b: R) => number;
  /** The first so many. */
  readonly limit?: number;
}

export class Query<R> {
  readonly #where: (row: R) => boolean;
  readonly #limit: number;
  /** Every row that passes: the result is the beginning of it. */
  readonly #sorted: Sorted<R>;
  readonly #shown = observable<readonly R[]>([]);
  #isChanged = false;

  constructor({ where = () => true, compare, limit = Infinity }: QueryOptions<R>, keyOf: (row: R) => Key) {
    [this.#where, this.#limit] = [where, limit];
    this.#sorted = new Sorted((a, b) => compare?.(a, b) || compareKeys(keyOf(a), keyOf(b)));
  }

  get value(): Observable<readonly R[]> {
    return this.#shown.value;
  }

  /** Everything anew. */
  begin(rows: Iterable<R>): void {
    this.#sorted.clear();
    this.#isChanged = true;
    this.add(rows);
  }

  /** Many rows that were not there before. */
  add(rows: Iterable<R>): void {
    const fresh: R[] = [];
    for (const row of rows) if (this.#where(row)) fresh.push(row);
    if (fresh.length === 0) return;
    this.#sorted.addAll(fresh);
    this.#isChanged = true;
  }

  /** One row is another, has come or has gone. */
  change(before: R | undefined, after: R | undefined): void {
    if (before !== undefined && this.#where(before)) this.#touch(this.#sorted.remove(before, this.#limit));
    if (after !== undefined && this.#where(after)) this.#touch(this.#sorted.add(after, this.#limit));
  }

  /** Tells those who follow the query, when its result has changed. */
  settle(): void {
    if (!this.#isChanged) return;
    this.#isChanged = false;
    const rows = this.#sorted.first(this.#limit);
    const before = this.#shown.value.get();
    // Rows that all come after the limit, say.
    const isSame = rows.length === this.#limit && rows.every((row, at) => row === before[at]);
    if (!isSame) this.#shown.set(rows);
  }

  #touch(at: number): void {
    if (at !== -1 && at < this.#limit) this.#isChanged = true;
  }
}

/** Numbers before texts: the keys of rows that are not created yet may be of another kind. */
export function compareKeys(a: Key, b: Key): number {
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
