/** The live collection of the orders: where its rows come from, and who sends what is written here. */
import { signal } from "@preact/signals";
import { liveCollection, WriteRefused } from "../../client/index.ts";
import { EMPTY_ORDER, isFinal } from "../../client/orders.ts";
import type { Order } from "../../protocol/orders.ts";
import {
  ApiProblem,
  createOrder,
  deleteOrder,
  getOrder,
  listOrders,
  type OrderFields,
  updateOrder,
  type Written,
} from "../api.ts";
import { client } from "./connection.ts";
import { pendingStorage } from "./orders-storage.ts";

/** More rows than this nobody looks through, and a phone need not hold. */
export const MAX_ROWS = 100_000;
/** Enough for the first screen, so that it does not wait for the rest; then as many as the API gives at once. */
const FIRST_PAGE = 200;
const PAGE = 5000;

/** Why the last load failed. */
export const loadError = signal<ApiProblem | null>(null);

/** Whether there are more orders than are loaded: of those only what changes shows. */
export const isCutOff = signal(false);

/** What the load under way has brought so far: its rows are looked at once, and not all of them with each page. */
let loaded = 0;
let arrived: number[] = [];

export const collection = liveCollection<Order>({
  client,
  table: "orders",
  key: (order) => order.id,
  load,
  write: {
    // Orders that are being created have numbers below zero, which no other has.
    draft: (fields, n) => ({ ...EMPTY_ORDER, ...fields, id: -n }),
    create: (fields, key) => refusing(() => createOrder(fields as OrderFields, key)),
    update: (row, fields, key) => refusing(() => update(row, fields, key)),
    remove: (row, key) => refusing(() => deleteOrder(row.id, key)),
  },
  storage: pendingStorage(),
});

/** The numbers of the rows that loads have brought since this was asked last. */
export function takeArrived(): readonly number[] {
  const ids = arrived;
  arrived = [];
  return ids;
}

async function load(after?: string) {
  if (after === undefined) loaded = 0;
  try {
    const page = await listOrders(after, after === undefined ? FIRST_PAGE : PAGE);
    loadError.value = null;
    loaded += page.rows.length;
    const isFull = loaded >= MAX_ROWS;
    if (page.next === undefined || isFull) isCutOff.value = page.next !== undefined;
    for (const { id } of page.rows) arrived.push(id);
    const { rows, snapshot, timestamp } = page;
    return { rows, snapshot, timestamp, ...(page.next !== undefined && !isFull && { next: page.next }) };
  } catch (error) {
    if (error instanceof ApiProblem) loadError.value = error;
    throw error;
  }
}

/**
 * Sends the fields given, provided that none of them has been changed by somebody else since: what others did to the rest of
 * the row is no conflict, and stays.
 */
async function update(row: Order, fields: Partial<Order>, key: string): Promise<Written> {
  for (let version = row.updated_at; ;) {
    try {
      return await updateOrder(row.id, fields, version, key);
    } catch (error) {
      if (!(error instanceof ApiProblem) || error.status !== 412) throw error;
      const present = await getOrder(row.id);
      const columns = Object.keys(fields) as (keyof Order)[];
      if (columns.some((name) => present[name] !== row[name] && present[name] !== fields[name])) throw error;
      version = present.updated_at;
    }
  }
}

/** What the server has refused for good is said so; anything else is tried again. */
async function refusing<T>(send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (error instanceof ApiProblem && isFinal(error)) throw new WriteRefused(error.message, error);
    throw error;
  }
}
