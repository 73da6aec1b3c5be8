/** What the pointer does in the table. */
import type { TargetedFocusEvent, TargetedMouseEvent } from "preact";
import type { Order } from "../../protocol/orders.ts";
import { findOrder } from "../state/orders.ts";
import { openStatusMenu } from "../state/orders-menu.ts";
import { changeOrder } from "../state/orders-writes.ts";
import { activeId, isSelected, selectTo, startRange, toggle } from "../state/selection.ts";
import type { RowsView } from "./OrdersRows.ts";
import { controlAt, deleteAndGoOn, edit, orderAt } from "./OrdersTargets.ts";

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
