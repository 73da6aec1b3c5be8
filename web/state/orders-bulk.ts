/**
 * One status for many orders: shown at once, sent a thousand at a time. These writes are not kept for after a reload as single
 * ones are: ten thousand of them would not fit where a browser keeps things.
 */
import { signal } from "@preact/signals";
import { Listeners } from "../../client/observable.ts";
import { isFinal } from "../../client/orders.ts";
import type { Order, OrderStatus } from "../../protocol/orders.ts";
import { ApiProblem, newKey, setStatusOf } from "../api.ts";
import { client, connection } from "./connection.ts";
import { clearSelection } from "./selection.ts";
import { notify } from "./toasts.ts";

/** As many as one call takes. */
const AT_ONCE = 1000;
/** Between two attempts while the server cannot be reached. */
const RETRY_MS = 2000;

/** A write outside of what is streamed is never seen. */
const SEEN_MS = 10_000;

/** How far it is; null when none is under way. */
export const bulkProgress = signal<{ readonly done: number; readonly of: number } | null>(null);

const overlay = new Map<number, OrderStatus>();
/** The same row each time it is asked for: rows are told apart by identity. */
const covered = new WeakMap<Order, Order>();
const listeners = new Listeners<readonly number[]>();

/** The statuses that are shown and not saved yet. */
export const bulkStatuses = {
  of: (id: number): OrderStatus | undefined => overlay.get(id),
  /** Called with the numbers of those that changed. */
  subscribe: (listener: (ids: readonly number[]) => void) => listeners.add(listener),
};

/** The row as it will be. */
export function withBulkStatus(order: Order): Order {
  const status = overlay.get(order.id);
  if (status === undefined || status === order.status) return order;
  let row = covered.get(order);
  if (row?.status !== status) covered.set(order, (row = { ...order, status }));
  return row;
}

export async function setStatuses(ids: readonly number[], status: OrderStatus): Promise<void> {
  clearSelection();
  cover(ids, status);
  bulkProgress.value = { done: 0, of: ids.length };
  let done = 0;
  let missing = 0;
  for (let start = 0; start < ids.length; start += AT_ONCE) {
    const chunk = ids.slice(start, start + AT_ONCE);
    try {
      missing += await sendChunk(chunk, status);
    } catch (error) {
      uncover(ids.slice(start));
      const why = error instanceof ApiProblem ? error.message : "Something went wrong here.";
      notify({ text: `${orders(ids.length - start)} stay as before. ${why}`, tone: "error" });
      break;
    }
    done += chunk.length;
    bulkProgress.value = { done, of: ids.length };
  }
  bulkProgress.value = null;
  if (done === 0) return;
  const gone = missing > 0 ? ` ${missing.toLocaleString()} had been deleted meanwhile.` : "";
  notify({ text: `${orders(done - missing)} set to ${status}.${gone}`, tone: "success" });
}

/** Sends until it is answered; the key makes that safe. @returns how many of them are no more. */
async function sendChunk(ids: readonly number[], status: OrderStatus): Promise<number> {
  const key = newKey();
  for (;;) {
    try {
      const { xid, missing } = await setStatusOf(ids, status, key);
      // what is shown stays until the stream has brought it, or the rows would turn back for a moment
      const uncoverThese = () => uncover(ids);
      const late = new Promise((resolve) => setTimeout(resolve, SEEN_MS));
      void Promise.race([client.seen(xid), late]).then(uncoverThese, uncoverThese);
      return missing.length;
    } catch (error) {
      if (error instanceof ApiProblem && isFinal(error)) throw error;
      await reachable();
    }
  }
}

/** Resolves when it is worth another attempt: after a while, or as soon as the page is live again. */
function reachable(): Promise<void> {
  return new Promise((resolve) => {
    const tried = connection.peek();
    const timer = setTimeout(end, RETRY_MS);
    const stop = connection.subscribe((state) => {
      if (state !== tried && state.name === "live") queueMicrotask(end);
    });
    function end(): void {
      clearTimeout(timer);
      stop();
      resolve();
    }
  });
}

function cover(ids: readonly number[], status: OrderStatus): void {
  for (const id of ids) overlay.set(id, status);
  listeners.call(ids);
}

function uncover(ids: readonly number[]): void {
  for (const id of ids) overlay.delete(id);
  listeners.call(ids);
}

function orders(count: number): string {
  return count === 1 ? "1 order" : `${count.toLocaleString()} orders`;
}
