import { useComputed } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { flashed, flashOf, isGhost } from "../state/flashes.ts";
import { bulkStatuses } from "../state/orders-bulk.ts";
import { indexOf, isSorting, visibleOrders } from "../state/orders-list.ts";
import { pendingIds } from "../state/orders-writes.ts";
import { activeId, isSelected, selectionVersion } from "../state/selection.ts";
import { OrderRow } from "./OrderRow.tsx";
import { OrdersHead } from "./OrdersHead.tsx";
import { gridKeys } from "./OrdersKeys.ts";
import { gridPointer } from "./OrdersPointer.ts";
import { useWindowRows } from "./OrdersRows.ts";

/**
 * The table: of any number of rows only those in sight, and the one that the keyboard is on, are in the document. The roles
 * are spelled out because it is no table but a grid that scrolls with the page.
 */
export function OrdersGrid() {
  void [flashed.value, selectionVersion.value];
  const rows = visibleOrders.value;
  const pending = pendingIds.value;
  const active = useComputed(() => {
    void visibleOrders.value;
    return activeId.value === null ? -1 : indexOf(activeId.value);
  }).value;
  const body = useRef<HTMLDivElement>(null);
  const probe = useRef<HTMLDivElement>(null);
  const view = useWindowRows({ rows, body, probe, keep: active });
  // somewhere the keyboard has to come in
  const entrance = active >= 0 ? active : view.first;

  // a row that the keyboard has moved to may have come into the document only now
  useLayoutEffect(() => view.settleFocus());

  return (
    <>
      <div
        class="grid"
        role="grid"
        aria-labelledby="orders-title"
        aria-multiselectable="true"
        aria-rowcount={rows.length + 1}
        aria-colcount={8}
        aria-busy={isSorting.value}
      >
        <OrdersHead />
        <div
          ref={body}
          role="rowgroup"
          class="grid-body"
          style={{ height: `${view.height}px` }}
          {...gridPointer(view)}
          onKeyDown={gridKeys(view)}
        >
          {view.items.map(({ index, top }) => {
            const order = rows[index];
            if (!order) return null;
            const { id } = order;
            return (
              <OrderRow
                key={id}
                order={order}
                index={index}
                top={top}
                flash={flashOf(id)}
                isGhost={isGhost(id)}
                isPending={pending.has(id) || bulkStatuses.of(id) !== undefined}
                isSelected={isSelected(id)}
                isEntrance={index === entrance}
              />
            );
          })}
        </div>
      </div>
      <div ref={probe} class="grid-probe" aria-hidden="true" />
    </>
  );
}
