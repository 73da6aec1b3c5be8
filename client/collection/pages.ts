/**
 * The join of the pages that a table is loaded in with the stream. Each page has a snapshot of its own, so each row is
 * asked of the one that it was loaded in: a change that this one shows is dropped, what it does not show is applied. Pages
 * follow each other by key, the highest first, so that every key belongs to one page, whether there is a row or not. Pure.
 */
import type { Change } from "../../protocol/change.ts";
import { isVisible } from "../../protocol/snapshot.ts";
import type { Snapshot } from "../../protocol/snapshot.ts";
import { applyChange, changeKey, lacksRow } from "../rows.ts";
import type { Key, RowChange, TableShape } from "../rows.ts";

interface Page {
  /** It holds the keys from this one on, up to the page before; undefined for the last page: all that are left. */
  readonly from: Key | undefined;
  readonly snapshot: Snapshot;
}

/** What came of changes. */
export interface Applied<R> {
  readonly done: readonly RowChange<R>[];
  /** A row was too large to travel: it has to be loaded. */
  readonly isIncomplete: boolean;
}

export class Pages<R> {
  readonly rows = new Map<Key, R>();
  readonly #shape: TableShape<R>;
  readonly #pages: Page[] = [];
  /** What came since the first page was asked for; null once everything is loaded. */
  #kept: Change[] | null;

  /** @param kept changes that came before the first page, and after the stream had begun. */
  constructor(shape: TableShape<R>, kept: readonly Change[] = []) {
    this.#shape = shape;
    this.#kept = [...kept];
  }

  get isComplete(): boolean {
    return this.#kept === null;
  }

  /**
   * Takes in the next page.
   *
   * @param isLast whether it ends the table.
   */
  add(
    loaded: readonly R[],
    snapshot: Snapshot,
    isLast: boolean,
  ): Applied<R> & { readonly keys: Iterable<Key> } {
    const { key } = this.#shape;
    const page = new Map(loaded.map((row) => [key(row), row]));
    const from = isLast ? undefined : leastOf(page.keys()); // a page without rows has none below it either
    this.#pages.push({ from, snapshot });
    const done: RowChange<R>[] = [];
    let isIncomplete = false;
    for (const change of this.#kept ?? []) {
      const its = changeKey(change, this.#shape);
      if (
        its === null ? isVisible(change.xid, snapshot) : !this.#concerns(this.#pages.length - 1, its, change)
      )
        continue;
      if (lacksRow(change)) isIncomplete = true;
      else {
        const result = applyChange(page, change, this.#shape);
        if (result) done.push(result);
      }
    }
    for (const [its, row] of page) this.rows.set(its, row);
    if (from === undefined) this.#kept = null;
    return { done, isIncomplete, keys: page.keys() };
  }

  /** Takes in changes of the table, in the order of the stream. */
  apply(changes: readonly Change[]): Applied<R> {
    this.#kept?.push(...changes);
    const done: RowChange<R>[] = [];
    let isIncomplete = false;
    for (const change of changes) {
      const its = changeKey(change, this.#shape);
      if (its === null) {
        const result = this.#truncate(change);
        if (result) done.push(result);
        continue;
      }
      const page = this.#pageOf(its);
      if (page === -1 || !this.#concerns(page, its, change)) continue;
      if (lacksRow(change)) isIncomplete = true;
      else {
        const result = applyChange(this.rows, change, this.#shape);
        if (result) done.push(result);
      }
    }
    return { done, isIncomplete };
  }

  /** Whether the row was loaded in a snapshot that shows what this transaction did. */
  shows(key: Key, xid: string): boolean {
    const page = this.#pages[this.#pageOf(key)];
    return page !== undefined && isVisible(xid, page.snapshot);
  }

  /** Whether the key is in the page, and the change not in its snapshot. */
  #concerns(index: number, key: Key, { xid }: Change): boolean {
    const page = this.#pages[index];
    return page !== undefined && this.#pageOf(key) === index && !isVisible(xid, page.snapshot);
  }

  /** -1 for a key that no page has reached yet. */
  #pageOf(key: Key): number {
    return this.#pages.findIndex(({ from }) => from === undefined || key >= from);
  }

  /** Takes away what the table held before: all, but for what was loaded after it had been emptied. */
  #truncate(change: Change): RowChange<R> | null {
    if (this.#pages.every(({ snapshot }) => isVisible(change.xid, snapshot))) return null;
    for (const key of this.rows.keys())
      if (this.#concerns(this.#pageOf(key), key, change)) this.rows.delete(key);
    return { change, before: null, after: null };
  }
}

function leastOf(keys: Iterable<Key>): Key | undefined {
  let least: Key | undefined;
  for (const key of keys) if (least === undefined || key < least) least = key;
  return least;
}
