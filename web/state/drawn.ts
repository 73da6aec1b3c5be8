/**
 * How many of the orders are in the document: a first lot, and more as the end of the table comes near. A burst that moves
 * a thousand rows would otherwise keep the page busy with rows that nobody sees.
 */
import { computed, effect, signal } from "@preact/signals";
import { statusFilter, visibleOrders } from "./orders.ts";

const LOT = 150;

export const drawnCount = signal(LOT);

effect(() => {
  void statusFilter.value; // another filter: from the top again
  drawnCount.value = LOT;
});

export const drawnOrders = computed(() => visibleOrders.value.slice(0, drawnCount.value));
export const hasMore = computed(() => visibleOrders.value.length > drawnCount.value);

export function drawMore(): void {
  drawnCount.value += LOT;
}
