/**
 * The orders on the page, live. The collection of the SDK joins list and stream; here what changed in it reaches the sorted
 * list and the counts, at most once a frame, and never by going through all rows when a few have changed.
 */
import { batch, computed, effect, signal } from "@preact/signals";
import { toSignal } from "../../client/adapters/preact.ts";
import { flash, ghostsGone, showFlashes } from "./flashes.ts";
import { oncePerFrame } from "./frame.ts";
import { bulkStatuses, withBulkStatus } from "./orders-bulk.ts";
import { collection, isCutOff, takeArrived } from "./orders-collection.ts";
import { applySteps, dropGhosts, knownIds, knownRow } from "./orders-list.ts";
import type { RowStep } from "./orders-sort.ts";
import { statsCounts } from "./orders-stats.ts";
import { createTally, NO_COUNTS } from "./orders-tally.ts";
import { pendingKeys } from "./orders-writes.ts";
import { deselect } from "./selection.ts";
import { hidden } from "./undo.ts";

export { isCutOff, loadError } from "./orders-collection.ts";
export { orders, visibleOrders } from "./orders-list.ts";
export { findRow as findOrder } from "./orders-writes.ts";
export { statusFilter } from "./search.ts";

export const loadState = toSignal(collection.state);

const tally = createTally();
const tallied = signal(NO_COUNTS);

/** Of all orders there are: counted here when all are here, otherwise by the server and kept up by the stream. */
export const counts = computed(() => {
  const isWhole = !isCutOff.value && (loadState.value === "ready" || loadState.value === "reloading");
  return isWhole ? tallied.value : (statsCounts.value ?? tallied.value);
});

/** How many orders there are. */
export const total = computed(() => counts.value.all);

/** The rows that may have changed; "all" when it is not known which. */
let dirty: Set<number> | "all" = "all";

function touch(id: unknown): void {
  if (dirty !== "all" && typeof id === "number") dirty.add(id);
  refresh();
}

function touchAll(): void {
  dirty = "all";
  refresh();
}

const refresh = oncePerFrame(() => {
  const rows = collection.rows.get();
  const steps: RowStep[] = [];
  const look = (id: number) => {
    const before = knownRow(id);
    const row = hidden.has(id) ? undefined : rows.get(id);
    const after = row && withBulkStatus(row);
    if (before !== after) steps.push({ before, after });
  };
  if (dirty === "all") {
    for (const id of knownIds()) if (!rows.has(id)) look(id);
    for (const id of rows.keys()) look(Number(id));
  } else for (const id of dirty) look(id);
  dirty = new Set();
  batch(() => {
    showFlashes();
    if (steps.length === 0) return;
    tally.apply(steps);
    tallied.value = tally.counts();
    applySteps(steps);
    deselect(steps.flatMap(({ before, after }) => (before && !after ? [before.id] : [])));
  });
});

collection.on("change", ({ change, before, after }) => {
  if (change.operation === "TRUNCATE") return touchAll();
  const id = (after ?? before)?.id;
  if (id === undefined) return;
  if (before || after) flash(change, id);
  touch(id);
});
// what a load did not bring again is gone
collection.state.subscribe((state) => {
  if (state === "ready") touchAll();
});
collection.rows.subscribe(() => {
  // pages of a load, of which no change tells
  for (const id of takeArrived()) touch(id);
});
hidden.subscribe(touch);
bulkStatuses.subscribe((ids) => ids.forEach(touch));
pendingKeys.subscribe((keys) => keys.forEach(touch));
effect(() => {
  if (ghostsGone.value > 0) dropGhosts();
});

/** Loads the list again, from the present. */
export function reload(): void {
  collection.reload();
}
