/** How a table's rows follow from a snapshot of them and the changes after it. Pure. */
import type { Change, Row } from "../protocol/change.ts";
import { rowPasses } from "../protocol/filter.ts";
import type { Filter } from "../protocol/filter.ts";
import { isVisible } from "../protocol/snapshot.ts";
import type { Snapshot } from "../protocol/snapshot.ts";

export type Key = string | number;

/** What a change did to the rows: null stands for no row. TRUNCATE has neither side. */
export interface RowChange<R> {
  readonly change: Change;
  readonly before: R | null;
  readonly after: R | null;
}

/** What to know of a table to follow it. */
export interface TableShape<R> {
  readonly key: (row: R) => Key;
  readonly table: string;
  readonly filter: Filter | null;
}

/**
 * Applies one change to `rows`, in place: a row that leaves the filter goes. The caller has made sure that the change is
 * not part of the snapshot that `rows` came from, and that it carries its row.
 *
 * @returns what it did; null when it did not touch these rows.
 */
export function applyChange<R>(rows: Map<Key, R>, change: Change, shape: TableShape<R>): RowChange<R> | null {
  const { operation, data } = change;
  if (operation === "TRUNCATE") {
    rows.clear();
    return { change, before: null, after: null };
  }
  const key = changeKey(change, shape);
  if (key === null) return null;
  const before = rows.get(key) ?? null;
  // Only watched columns travel: the others stay as they were loaded.
  const row = operation === "DELETE" || data === null ? null : { ...before, ...data };
  const after = row !== null && rowPasses(shape.filter, shape.table, row) ? (row as R) : null;
  if (after !== null) rows.set(key, after);
  else if (!rows.delete(key)) return null;
  return { change, before, after };
}

/** The key of the row that a change is about; null when it is about none. */
export function changeKey<R>(change: Change, { key }: Pick<TableShape<R>, "key">): Key | null {
  const row: Row | null = change.data ?? change.key;
  return row === null ? null : key(row as R);
}

/** Whether the change came without its row, which must be fetched. (Of a deleted row nothing more is needed.) */
export function lacksRow(change: Change): boolean {
  return change.data === null && (change.operation === "INSERT" || change.operation === "UPDATE");
}

/** The changes that a snapshot does not show yet. Asked of every one: the stream's order is not that of transaction ids. */
export function notIn(snapshot: Snapshot, changes: readonly Change[]): Change[] {
  return changes.filter(({ xid }) => !isVisible(xid, snapshot));
}
