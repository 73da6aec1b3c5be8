/** Which of the orders the table shows: those of a status, of customers with a name, or of one number. */
import { computed, signal } from "@preact/signals";
import type { Order, OrderStatus } from "../../protocol/orders.ts";

/** Null: every status. */
export const statusFilter = signal<OrderStatus | null>(null);

/** As it is typed. */
export const searchText = signal("");

export type Passes = (order: Order) => boolean;

/** Null where all pass. */
export const passes = computed<Passes | null>(() => passing(statusFilter.value, searchText.value));

export function showAll(): void {
  statusFilter.value = null;
  searchText.value = "";
}

/** A part of the customer's name, in any case, or the whole number of an order, with or without its sign. */
export function passing(status: OrderStatus | null, text: string): Passes | null {
  const part = text.trim().toLowerCase();
  if (part === "") return status === null ? null : (order) => order.status === status;
  const id = /^#?\d{1,10}$/.test(part) ? Number(part.replace("#", "")) : null;
  return (order) =>
    (status === null || order.status === status) &&
    (order.id === id || order.customer_name.toLowerCase().includes(part));
}
