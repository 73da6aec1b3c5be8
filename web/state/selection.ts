/** Which rows are selected, and on which one the keyboard is. By number, so that both follow a row wherever it moves. */
import { effect, signal } from "@preact/signals";
import type { Order } from "../../protocol/orders.ts";
import { indexOf, visibleOrders } from "./orders-list.ts";
import { passes } from "./search.ts";

const selected = new Set<number>();

/** Another number whenever `isSelected` may answer something else. */
export const selectionVersion = signal(0);
export const selectedCount = signal(0);

/** The row that the keyboard is on; null before there was one. */
export const activeOrder = signal<Order | null>(null);

/** Where a range begins. */
let anchor: Order | null = null;

export function isSelected(id: number): boolean {
  return selected.has(id);
}

export function selectedIds(): number[] {
  return [...selected];
}

export function toggle(order: Order): void {
  if (!selected.delete(order.id)) selected.add(order.id);
  anchor = order;
  tell();
}

/** Everything between the row that was picked last and this one. */
export function selectTo(order: Order): void {
  const from = indexOf(anchor ?? order);
  const to = indexOf(order);
  if (from < 0 || to < 0) return toggle(order);
  const [first, last] = from < to ? [from, to] : [to, from];
  for (const { id } of visibleOrders.peek().slice(first, last + 1)) selected.add(id);
  tell();
}

/** Where the next range begins, without selecting. */
export function startRange(order: Order): void {
  anchor = order;
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

export function deselect(ids: Iterable<number>): void {
  for (const id of ids) selected.delete(id);
  tell();
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
