/** The live collection of the orders: where its rows come from, and who sends what is written here. */
import { signal } from "@preact/signals";
import { liveCollection } from "../../client/index.ts";
import type { Order } from "../../protocol/orders.ts";
import { ApiProblem, listOrders } from "../api.ts";
import { client } from "./connection.ts";
import { withWrites } from "./orders-interim.ts";

const LIMIT = 1000;

/** Why the last load failed. */
export const loadError = signal<ApiProblem | null>(null);

/** Whether there are more orders than are loaded: of those only what changes shows. */
export const isCutOff = signal(false);

let arrived: number[] = [];

export const collection = withWrites(
  liveCollection<Order>({
    client,
    table: "orders",
    key: (order) => order.id,
    async load() {
      try {
        const page = await listOrders(LIMIT);
        loadError.value = null;
        isCutOff.value = page.rows.length < page.total;
        for (const { id } of page.rows) arrived.push(id);
        return { rows: page.rows, snapshot: page.snapshot };
      } catch (error) {
        if (error instanceof ApiProblem) loadError.value = error;
        throw error;
      }
    },
  }),
);

/** The numbers of the rows that loads have brought since this was asked last. */
export function takeArrived(): readonly number[] {
  const ids = arrived;
  arrived = [];
  return ids;
}
