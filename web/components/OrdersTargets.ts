/** Which row an event is about, and what is done with it. One listener hears all rows: they come and go as the page is scrolled. */
import type { Order } from "../../protocol/orders.ts";
import { editOrder } from "../state/dialogs.ts";
import { findOrder } from "../state/orders.ts";
import { deleteOrder } from "../state/undo.ts";
import type { RowsView } from "./OrdersRows.ts";

/** The place of the row that an element belongs to; -1 when it belongs to none. */
function indexAt(target: EventTarget | null, { rows }: RowsView): number {
  const row = target instanceof Element ? target.closest<HTMLElement>("[data-row]") : null;
  const id = Number(row?.dataset["row"]);
  return rows.findIndex((order) => order.id === id);
}

/** The order that an element belongs to, as the table shows it: also one that has just been deleted. */
export function orderAt(target: EventTarget | null, view: RowsView): Order | undefined {
  return view.rows[indexAt(target, view)];
}

export function controlAt(target: EventTarget | null): HTMLElement | null {
  return target instanceof Element ? target.closest<HTMLElement>("[data-control]") : null;
}

export function edit({ id }: Order): void {
  const present = findOrder(id);
  if (present) editOrder(present);
}

/** The keyboard goes on to the next row, or it would fall out of the table with the one that is deleted. */
export function deleteAndGoOn(order: Order, view: RowsView): void {
  const index = view.rows.findIndex(({ id }) => id === order.id);
  const next = view.rows[index + 1] ? index + 1 : index - 1;
  if (next >= 0) view.go(next);
  const present = findOrder(order.id);
  if (present) deleteOrder(present);
}
