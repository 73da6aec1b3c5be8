/**
 * The orders on the page: the newest of the table, live. The collection of the SDK joins list and stream; here its rows
 * become signals, at most once a frame.
 */
import { computed, signal } from "@preact/signals";
import { liveCollection } from "../../client/index.ts";
import { ApiProblem, listOrders } from "../api.ts";
import { ORDER_STATUSES } from "../../protocol/order-status.ts";
import type { Order, OrderStatus } from "../../protocol/orders.ts";
import { client } from "./connection.ts";
import { flash } from "./flashes.ts";
import { oncePerFrame } from "./frame.ts";
import { observe } from "./observe.ts";

/** More rows than this the API does not give at once, and nobody reads in a table. */
export const MAX_ROWS = 1000;

/** Why the last load failed. */
export const loadError = signal<ApiProblem | null>(null);

/** How many orders the table has in all: a little off for a while when `orders` is not all of them. */
export const total = signal(0);

/** When the list was cut off: the oldest row that came with it. What is older shows only after another load. */
let oldest: Order | null = null;

/** Null: every status. */
export const statusFilter = signal<OrderStatus | null>(null);

const collection = liveCollection<Order>({
  client,
  table: "orders",
  key: (order) => order.id,
  async load() {
    try {
      const page = await listOrders(MAX_ROWS);
      loadError.value = null;
      total.value = page.total;
      oldest = page.rows.length < page.total ? (page.rows.at(-1) ?? null) : null;
      return { rows: page.rows, snapshot: page.snapshot };
    } catch (error) {
      if (error instanceof ApiProblem) loadError.value = error;
      throw error;
    }
  },
});

export const loadState = observe(collection.state);

/** Newest first, at most `MAX_ROWS`. */
export const orders = signal<readonly Order[]>([]);

const refresh = oncePerFrame(() => {
  const last = oldest;
  const rows = [...collection.rows.get().values()].filter((order) => !last || newestFirst(order, last) <= 0);
  orders.value = rows.toSorted(newestFirst).slice(0, MAX_ROWS);
});
collection.rows.subscribe(refresh);

collection.on("change", ({ change, before, after }) => {
  if (change.operation === "TRUNCATE") total.value = 0;
  else if (change.operation === "INSERT") total.value += 1;
  else if (change.operation === "DELETE") total.value = Math.max(0, total.value - 1);
  const order = after ?? before;
  if (order) flash(change, order);
});

export const countByStatus = computed(() => {
  const counts = Object.fromEntries(ORDER_STATUSES.map((status) => [status, 0])) as Record<
    OrderStatus,
    number
  >;
  for (const order of orders.value) counts[order.status] += 1;
  return counts;
});

export const visibleOrders = computed(() => {
  const status = statusFilter.value;
  return status === null ? orders.value : orders.value.filter((order) => order.status === status);
});

/** As the API sorts. All timestamps are in UTC and in one form, so that their text sorts as they do. */
export function newestFirst(a: Order, b: Order): number {
  if (a.created_at !== b.created_at) return a.created_at < b.created_at ? 1 : -1;
  return b.id - a.id;
}

/** Loads the list again, from the present. */
export function reload(): void {
  collection.reload();
}

/** The order as the page knows it now. */
export function findOrder(id: number): Order | undefined {
  return collection.rows.get().get(id);
}
