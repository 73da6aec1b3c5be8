/** What the keyboard and the pointer do in the table. One listener for all rows: they come and go as the page is scrolled. */
import type { TargetedFocusEvent, TargetedKeyboardEvent, TargetedMouseEvent } from "preact";
import type { Order } from "../../protocol/orders.ts";
import { editOrder } from "../state/dialogs.ts";
import { findOrder } from "../state/orders.ts";
import { changeOrder } from "../state/orders-writes.ts";
import {
  activeId,
  clearSelection,
  isSelected,
  selectAll,
  selectTo,
  startRange,
  toggle,
} from "../state/selection.ts";
import { openStatusMenu } from "../state/orders-menu.ts";
import { deleteOrder } from "../state/undo.ts";
import type { RowsView } from "./OrdersRows.ts";

/** The place of the row that an element belongs to; -1 when it belongs to none. */
function indexAt(target: EventTarget | null, { rows }: RowsView): number {
  const row = target instanceof Element ? target.closest<HTMLElement>("[data-row]") : null;
  const id = Number(row?.dataset["row"]);
  return rows.findIndex((order) => order.id === id);
}

/** The order that an element belongs to, as the table shows it: also one that has just been deleted. */
function orderAt(target: EventTarget | null, view: RowsView): Order | undefined {
  return view.rows[indexAt(target, view)];
}

function controlAt(target: EventTarget | null): HTMLElement | null {
  return target instanceof Element ? target.closest<HTMLElement>("[data-control]") : null;
}

type Pointer = TargetedMouseEvent<HTMLDivElement>;

export function gridPointer(view: RowsView) {
  return {
    onMouseDown(event: Pointer) {
      if (event.shiftKey) event.preventDefault(); // a range of rows, not of letters
    },
    onFocusIn(event: TargetedFocusEvent<HTMLDivElement>) {
      const order = orderAt(event.target, view);
      if (order) activeId.value = order.id;
    },
    onDblClick(event: Pointer) {
      const order = orderAt(event.target, view);
      if (order && !controlAt(event.target)) edit(order);
    },
    onClick: (event: Pointer) => click(event, view),
  };
}

function click(event: TargetedMouseEvent<HTMLDivElement>, view: RowsView): void {
  const order = orderAt(event.target, view);
  if (!order) return;
  const control = controlAt(event.target);
  switch (control?.dataset["control"]) {
    case "select":
      if (event.shiftKey) selectTo(order.id);
      else toggle(order.id);
      if (control instanceof HTMLInputElement) control.checked = isSelected(order.id);
      return;
    case "status":
      return changeStatus(order, control);
    case "edit":
      return edit(order);
    case "delete":
      return deleteAndGoOn(order, view);
    default:
  }
  if (event.shiftKey) selectTo(order.id);
  else if (event.ctrlKey || event.metaKey) toggle(order.id);
  else startRange(order.id);
}

function edit({ id }: Order): void {
  const present = findOrder(id);
  if (present) editOrder(present);
}

function changeStatus(order: Order, button: HTMLElement | null): void {
  if (!button) return;
  openStatusMenu({
    anchor: button,
    label: `Status of order ${order.id}`,
    current: order.status,
    pick: (status) => {
      const present = findOrder(order.id);
      if (present && present.status !== status) changeOrder(order.id, { status });
    },
  });
}

/** The keyboard goes on to the next row, or it would fall out of the table with the one that is deleted. */
function deleteAndGoOn(order: Order, view: RowsView): void {
  const index = view.rows.findIndex(({ id }) => id === order.id);
  const next = view.rows[index + 1] ? index + 1 : index - 1;
  if (next >= 0) view.go(next);
  const present = findOrder(order.id);
  if (present) deleteOrder(present);
}

export function gridKeys(view: RowsView): (event: TargetedKeyboardEvent<HTMLDivElement>) => void {
  return (event) => {
    const order = orderAt(event.target, view);
    if (!order || event.altKey) return;
    if (act(event, order, view)) event.preventDefault();
  };
}

/** @returns whether the key meant something here. */
function act(event: TargetedKeyboardEvent<HTMLDivElement>, order: Order, view: RowsView): boolean {
  const { key, shiftKey } = event;
  const isCommand = event.ctrlKey || event.metaKey;
  const onRow = controlAt(event.target) === null;
  if (isCommand && key === "a") {
    selectAll();
    return true;
  }
  const target = destination(key, view, order);
  if (target !== null) {
    if (shiftKey) extend(order, view.rows[target]);
    view.go(target, controlAt(event.target)?.dataset["control"]);
    return true;
  }
  if (isCommand) return false;
  switch (key) {
    case "ArrowRight":
      return stepInRow(event.target, 1);
    case "ArrowLeft":
      return stepInRow(event.target, -1);
    case "Escape":
      clearSelection();
      return onRow;
    case "Delete":
      deleteAndGoOn(order, view);
      return true;
    case "Enter":
      if (onRow) edit(order);
      return onRow;
    case " ":
      if (onRow) (shiftKey ? selectTo : toggle)(order.id);
      return onRow;
    default:
      return false;
  }
}

/** The index of the row that a key leads to; null when it leads to none. */
function destination(key: string, { rows, perPage }: RowsView, order: Order): number | null {
  const last = rows.length - 1;
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: 1,
    ArrowUp: -1,
    PageDown: perPage,
    PageUp: -perPage,
    Home: -Infinity,
    End: Infinity,
  };
  const step = steps[key];
  if (step === undefined) return null;
  const index = rows.findIndex(({ id }) => id === order.id);
  return Math.min(last, Math.max(0, index + step));
}

function extend(from: Order, to: Order | undefined): void {
  if (!isSelected(from.id)) toggle(from.id);
  if (to) selectTo(to.id);
}

/** From the row to what can be done with it, and back. */
function stepInRow(target: EventTarget | null, by: 1 | -1): boolean {
  const row = target instanceof Element ? target.closest<HTMLElement>("[data-row]") : null;
  if (!row) return false;
  const stops = [row, ...row.querySelectorAll<HTMLElement>("[data-control]")];
  const at = stops.findIndex((stop) => stop === document.activeElement);
  stops[Math.min(stops.length - 1, Math.max(0, at + by))]?.focus();
  return true;
}
