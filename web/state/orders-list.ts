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

/** Another number whenever it is another list: by another sort or filter, not by what came in. */
export const arrangement = signal(0);

let compare = comparing(NEWEST_FIRST);
/** Each row as the lists hold it, ghosts apart. */
const known = new Map<number, Order>();
/** Deleted rows that are still in the lists, as they were. */
const lingering = new Map<number, Order>();
/** What came while another sort is under way: of each row its version in the sort, and its present one. */
let since: Map<number, RowStep> | null = null;

/** The row as the lists hold it; undefined when they do not, or only as a ghost. */
export function knownRow(id: number): Order | undefined {
  return known.get(id);
}

export function knownIds(): Iterable<number> {
  return known.keys();
}

/** Takes rows in, over and out. A ghost stays until `dropGhosts`. */
export function applySteps(steps: readonly RowStep[]): void {
  const listed: RowStep[] = [];
  for (const { before, after } of steps) {
    const id = (after ?? before)?.id;
    if (id === undefined) continue;
    if (after) known.set(id, after);
    else known.delete(id);
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

/** Where an order is among those that are shown; -1 when it is not. */
export function indexOf(id: number): number {
  const row = lingering.get(id) ?? known.get(id);
  const place = row && placeOf(shown.peek(), compare, row);
  return place?.found ? place.index : -1;
}

/** Where this version of a row would stand among those that are shown, whatever has become of it. */
export function indexFor(row: Order): number {
  return placeOf(shown.peek(), compare, row).index;
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
  arrangement.value = arrangement.peek() + 1;
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
    arrangement.value = arrangement.peek() + 1;
    isSorting.value = false;
  });
});
