/**
 * The rows as they are shown: those of the server, with what is not confirmed yet laid over. A new object for each version, so
 * that frameworks see that something has changed, over the one map that there is, so that a batch does not copy 100,000
 * rows. An older view shows the present too.
 */
import type { Key } from "../rows.ts";

export class RowsView<R> implements ReadonlyMap<Key, R> {
  readonly #rows: ReadonlyMap<Key, R>;
  readonly #over: ReadonlyMap<Key, R | null>;

  /** @param over rows instead of the server's; null where none is shown. */
  constructor(rows: ReadonlyMap<Key, R>, over: ReadonlyMap<Key, R | null>) {
    this.#rows = rows;
    this.#over = over;
  }

  get size(): number {
    let { size } = this.#rows;
    for (const [key, row] of this.#over) size += Number(row !== null) - Number(this.#rows.has(key));
    return size;
  }

  get(key: Key): R | undefined {
    const over = this.#over.get(key);
    return over === undefined ? this.#rows.get(key) : (over ?? undefined);
  }

  has(key: Key): boolean {
    return this.get(key) !== undefined;
  }

  *entries(): MapIterator<[Key, R]> {
    for (const entry of this.#rows) if (!this.#over.has(entry[0])) yield entry;
    for (const [key, row] of this.#over) if (row !== null) yield [key, row];
  }

  *keys(): MapIterator<Key> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): MapIterator<R> {
    for (const [, row] of this.entries()) yield row;
  }

  [Symbol.iterator](): MapIterator<[Key, R]> {
    return this.entries();
  }

  forEach(call: (row: R, key: Key, rows: ReadonlyMap<Key, R>) => void): void {
    for (const [key, row] of this.entries()) call(row, key, this);
  }
}
