/**
 * The orders as the table shows them: sorted, those that pass the filter, and for a moment those that have just gone. Each
 * batch of changes costs what it changes; only another sort or filter looks at every row.
 */
import { batch, effect, type ReadonlySignal, signal } from "@preact/signals";
import type { Order } from "../../protocol/orders.ts";
import { isGhost } from "./flashes.ts";
import {
  comparing,
  NEWEST_FIRST,
  patchSorted,
  placeOf,
  type RowStep,
  type Sort,
  sortInSlices,
} from "./orders-sort.ts";
import { runInSlices } from "./orders-slices.ts";
import { passes } from "./search.ts";

export const sort = signal<Sort>(NEWEST_FIRST);
/** A sort of many rows takes a moment, and the page stays alive meanwhile. */
export const isSorting = signal(false);

const all = signal<readonly Order[]>([]);
const shown = signal<readonly Order[]>([]);

/** Sorted. */
export const orders: ReadonlySignal<readonly Order[]> = all;
/** Sorted, and only those that pass the filter. */
export const visibleOrders: ReadonlySignal<readonly Order[]> = shown;

let compare = comparing(NEWEST_FIRST);
/** Deleted rows that are still in the lists, as they were. */
const lingering = new Map<number, Order>();
/** What came while another sort is under way: of each row its version in the sort, and its present one. */
let since: Map<number, RowStep> | null = null;

/** Takes rows in, over and out. A ghost stays until `dropGhosts`. */
export function applySteps(steps: readonly RowStep[]): void {
  const listed: RowStep[] = [];
  for (const { before, after } of steps) {
    const id = (after ?? before)?.id;
    if (id === undefined) continue;
    const was = lingering.get(id) ?? before;
    if (!after && was && isGhost(id)) {
      lingering.set(id, was);
      continue;
    }
    lingering.delete(id);
    listed.push({ before: was, after });
  }
  patch(listed);
}

/** Takes those out that were only still there to be seen going. */
export function dropGhosts(): void {
  const gone = [...lingering.values()].filter(({ id }) => !isGhost(id));
  for (const { id } of gone) lingering.delete(id);
  patch(gone.map((before) => ({ before, after: undefined })));
}

/** Where the row is among those that are shown; -1 when it is not. */
export function indexOf(row: Order): number {
  const { index, found } = placeOf(shown.peek(), compare, row);
  return found ? index : -1;
}

function patch(steps: readonly RowStep[]): void {
  if (steps.length === 0) return;
  for (const { before, after } of since ? steps : []) {
    const id = (after ?? before)?.id ?? 0;
    since?.set(id, { before: since.has(id) ? since.get(id)?.before : before, after });
  }
  const passing = passes.peek();
  const list = patchSorted(all.peek(), compare, steps);
  const filtered = passing
    ? patchSorted(
        shown.peek(),
        compare,
        steps
          .map(({ before, after }) => ({
            before: before && passing(before) ? before : undefined,
            after: after && passing(after) ? after : undefined,
          }))
          .filter(({ before, after }) => before || after),
      )
    : list;
  show(list, filtered);
}

function show(list: readonly Order[], filtered: readonly Order[]): void {
  batch(() => {
    all.value = list;
    shown.value = filtered;
  });
}

effect(() => {
  const passing = passes.value;
  shown.value = passing ? all.peek().filter(passing) : all.peek();
});

effect(() => {
  const next = comparing(sort.value);
  since = new Map();
  isSorting.value = true;
  return runInSlices(sortInSlices(all.peek(), next), (sorted) => {
    const list = patchSorted(sorted, next, [...(since?.values() ?? [])]);
    [compare, since] = [next, null];
    const passing = passes.peek();
    show(list, passing ? list.filter(passing) : list);
    isSorting.value = false;
  });
});
