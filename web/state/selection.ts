/** Which rows are selected, and on which one the keyboard is. By number, so that both follow a row wherever it moves. */
import { effect, signal } from "@preact/signals";
import { indexOf, visibleOrders } from "./orders-list.ts";
import { passes } from "./search.ts";

const selected = new Set<number>();

/** Another number whenever `isSelected` may answer something else. */
export const selectionVersion = signal(0);
export const selectedCount = signal(0);

/** The row that the keyboard is on; null before there was one. */
export const activeId = signal<number | null>(null);

/** Where a range begins. */
let anchor: number | null = null;

export function isSelected(id: number): boolean {
  return selected.has(id);
}

export function selectedIds(): number[] {
  return [...selected];
}

export function toggle(id: number): void {
  if (!selected.delete(id)) selected.add(id);
  anchor = id;
  tell();
}

/** Everything between the row that was picked last and this one. */
export function selectTo(end: number): void {
  const from = indexOf(anchor ?? end);
  const to = indexOf(end);
  if (from < 0 || to < 0) return toggle(end);
  const [first, last] = from < to ? [from, to] : [to, from];
  for (const { id } of visibleOrders.peek().slice(first, last + 1)) selected.add(id);
  tell();
}

/** Where the next range begins, without selecting. */
export function startRange(id: number): void {
  anchor = id;
}

/** All that pass the filter, on the screen or not. */
export function selectAll(): void {
  for (const { id } of visibleOrders.peek()) selected.add(id);
  tell();
}

export function clearSelection(): void {
  if (selected.size === 0) return;
  selected.clear();
  anchor = null;
  tell();
}

/** For orders that are no more. */
export function deselect(ids: readonly number[]): void {
  const before = selected.size;
  for (const id of ids) selected.delete(id);
  if (selected.size < before) tell();
}

function tell(): void {
  selectedCount.value = selected.size;
  selectionVersion.value += 1;
}

// What is not seen should not be acted upon: with another filter one selects anew.
effect(() => {
  void passes.value;
  clearSelection();
});
