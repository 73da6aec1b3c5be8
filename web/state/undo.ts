/**
 * Deleting, with a way back. The order goes from the page at once, but is deleted only when the time for a change of mind is
 * over, or when the page goes. The other way, deleting at once and creating it again, could bring back only a copy under
 * another number, and everybody else would see it go and come. Until it is sent the others still have it, and should this
 * browser die in those seconds, the order stays: nothing is lost by accident.
 */
import { effect } from "@preact/signals";
import type { Order } from "../../protocol/orders.ts";
import { Listeners } from "../../client/observable.ts";
import { orderNumber } from "./describe.ts";
import { flash } from "./flashes.ts";
import { dismissToast, notify, toasts } from "./toasts.ts";
import { findRow, removeOrder } from "./orders-writes.ts";

const waiting = new Map<number, Order>();
const listeners = new Listeners<number>();

/** The orders that are not shown, because they are about to be deleted. */
export const hidden = {
  has: (id: number): boolean => waiting.has(id),
  /** Called with the number of each that is hidden, or shown again. */
  subscribe: (listener: (id: number) => void) => listeners.add(listener),
};

export function deleteOrder(order: Order): void {
  waiting.set(order.id, order);
  flash({ operation: "DELETE", old: null }, order.id);
  listeners.call(order.id);
  const { size } = waiting;
  notify({
    text: size === 1 ? `Order ${orderNumber(order.id)} deleted.` : `${size} orders deleted.`,
    tone: "info",
    action: { label: "Undo", run: undo },
  });
}

/** Brings back what has not been sent. */
export function undo(): void {
  const ids = [...waiting.keys()];
  waiting.clear();
  for (const id of ids) {
    flash({ operation: "INSERT", old: null }, id);
    listeners.call(id);
  }
  for (const { id } of offers()) dismissToast(id);
}

function send(): void {
  const ids = [...waiting.keys()];
  for (const id of ids) if (findRow(id)) removeOrder(id); // or somebody else has deleted it meanwhile
  // from here on it is what was written that keeps them from being shown
  waiting.clear();
  for (const id of ids) listeners.call(id);
}

/** The time is over when the offer to undo has gone: that one stays for as long as somebody is about to take it. */
function offers() {
  return toasts.value.filter(({ action }) => action?.run === undo);
}

effect(() => {
  // not at once: an offer that is taken goes first, and is taken in the same breath
  if (offers().length > 0) return;
  queueMicrotask(() => {
    if (waiting.size > 0 && offers().length === 0) send();
  });
});

addEventListener("pagehide", () => {
  if (waiting.size > 0) send();
});

addEventListener("keydown", (event) => {
  const isTyping = event.target instanceof HTMLInputElement && event.target.type !== "checkbox";
  if (waiting.size === 0 || isTyping || event.key !== "z" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  undo();
});
