/** The orders in order: by a column, and after each change without sorting again. Pure. */
import { ORDER_STATUSES } from "../../protocol/order-status.ts";
import type { Order } from "../../protocol/orders.ts";

export type Column = Exclude<keyof Order, "created_at">;

export interface Sort {
  readonly column: Column;
  readonly descending: boolean;
}

/** Newest first, which is how they are loaded: no page that comes in moves what is shown already. */
export const NEWEST_FIRST: Sort = { column: "id", descending: true };

export type Compare = (a: Order, b: Order) => number;

/** The dictionary's order of the reader's language. V8 has a fast way for it, unless it is given options. */
const collator = new Intl.Collator();

const COMPARE: Record<Column, Compare> = {
  id: (a, b) => age(a) - age(b),
  customer_name: (a, b) => collator.compare(a.customer_name, b.customer_name),
  product_name: (a, b) => collator.compare(a.product_name, b.product_name),
  // as an order gets on
  status: (a, b) => ORDER_STATUSES.indexOf(a.status) - ORDER_STATUSES.indexOf(b.status),
  amount: (a, b) => (a.amount ?? -1) - (b.amount ?? -1),
  // all timestamps are in UTC and in one form, so that their text sorts as they do
  updated_at: (a, b) => (a.updated_at < b.updated_at ? -1 : a.updated_at > b.updated_at ? 1 : 0),
};

/** A total order: no two rows are equal in it, so that each has one place. */
export function comparing({ column, descending }: Sort): Compare {
  const compare = COMPARE[column];
  const sign = descending ? -1 : 1;
  return (a, b) => sign * (compare(a, b) || age(a) - age(b));
}

/** Numbers grow; an order that is being created has one below zero, and is newer than all. */
function age({ id }: Order): number {
  return id < 0 ? 2 ** 32 - id : id;
}

/** What became of one row: `undefined` where there was none, or is none any more. */
export interface RowStep {
  readonly before: Order | undefined;
  readonly after: Order | undefined;
}

/**
 * The list after `steps`. It costs a few comparisons for each of them, and one copy of the list however many they are. A row
 * that was not in the list, or in another version than `before`, is only put in.
 */
export function patchSorted(
  list: readonly Order[],
  compare: Compare,
  steps: readonly RowStep[],
): readonly Order[] {
  if (steps.length === 0) return list;
  const cuts: { readonly at: number; readonly row: Order | undefined }[] = [];
  for (const { before, after } of steps) {
    const was = before && placeOf(list, compare, before);
    if (was?.found) cuts.push({ at: was.index, row: undefined });
    if (after) cuts.push({ at: placeOf(list, compare, after).index, row: after });
  }
  // at one place: first what is put in before the row there, in its order, then the row's own removal
  cuts.sort((a, b) => a.at - b.at || (a.row && b.row ? compare(a.row, b.row) : a.row ? -1 : b.row ? 1 : 0));
  const next: Order[] = [];
  let from = 0;
  for (const { at, row } of cuts) {
    for (; from < at; from++) next.push(list[from] as Order);
    if (row) next.push(row);
    else from = at + 1;
  }
  for (; from < list.length; from++) next.push(list[from] as Order);
  return next;
}

/** Where the row is, or would be put in, by binary search. */
export function placeOf(
  list: readonly Order[],
  compare: Compare,
  row: Order,
): { readonly index: number; readonly found: boolean } {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(list[middle] as Order, row) < 0) low = middle + 1;
    else high = middle;
  }
  return { index: low, found: list[low]?.id === row.id };
}

/** Rows sorted at a stroke, some 5 ms of the collator. */
const RUN = 4000;

/** A merge sort that stops every few milliseconds, so that whoever drives it can let the page breathe in between. */
export function* sortInSlices(rows: readonly Order[], compare: Compare): Generator<void, readonly Order[]> {
  let runs: Order[][] = [];
  for (let start = 0; start < rows.length; start += RUN) {
    runs.push(rows.slice(start, start + RUN).toSorted(compare));
    yield;
  }
  while (runs.length > 1) {
    const merged: Order[][] = [];
    for (let index = 0; index < runs.length; index += 2) {
      merged.push(yield* merge(runs[index] ?? [], runs[index + 1] ?? [], compare));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

function* merge(left: readonly Order[], right: readonly Order[], compare: Compare): Generator<void, Order[]> {
  const merged: Order[] = [];
  let [l, r] = [0, 0];
  while (l < left.length || r < right.length) {
    const [a, b] = [left[l], right[r]];
    if (a && (!b || compare(a, b) <= 0)) {
      merged.push(a);
      l++;
    } else if (b) {
      merged.push(b);
      r++;
    }
    if (merged.length % RUN === 0) yield;
  }
  return merged;
}
