/** What the keyboard does in the table. */
import type { TargetedKeyboardEvent } from "preact";
import type { Order } from "../../protocol/orders.ts";
import { clearSelection, isSelected, selectAll, selectTo, toggle } from "../state/selection.ts";
import type { RowsView } from "./OrdersRows.ts";
import { controlAt, deleteAndGoOn, edit, orderAt } from "./OrdersTargets.ts";

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
