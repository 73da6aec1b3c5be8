import { flashes, ghosts } from "../state/flashes.ts";
import { drawnOrders, hasMore } from "../state/drawn.ts";
import { newestFirst, visibleOrders } from "../state/orders.ts";
import { OrderRow } from "./OrderRow.tsx";

/** The roles are spelled out because a narrow screen lays the table out as cards, and browsers then forget it was one. */
export function OrdersTable() {
  const marks = flashes.value;
  return (
    <table
      class="table"
      role="table"
      aria-labelledby="orders-title"
      aria-rowcount={visibleOrders.value.length + 1}
    >
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader" scope="col" class="col-mark">
            <span class="sr-only">Last change</span>
          </th>
          <th role="columnheader" scope="col" class="col-id">
            Id
          </th>
          <th role="columnheader" scope="col" class="col-customer">
            Customer
          </th>
          <th role="columnheader" scope="col" class="col-product">
            Product
          </th>
          <th role="columnheader" scope="col" class="col-status">
            Status
          </th>
          <th role="columnheader" scope="col" class="col-amount">
            Amount
          </th>
          <th role="columnheader" scope="col" class="col-updated">
            Updated
          </th>
          <th role="columnheader" scope="col" class="col-actions">
            <span class="sr-only">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        {withGhosts().map(({ order, isGhost }) => (
          <OrderRow key={order.id} order={order} flash={marks.get(order.id)} isGhost={isGhost} />
        ))}
      </tbody>
    </table>
  );
}

function withGhosts() {
  const rows = drawnOrders.value.map((order) => ({ order, isGhost: false }));
  const last = rows.at(-1)?.order;
  const present = new Set(visibleOrders.value.map((order) => order.id));
  for (const order of ghosts.value.values()) {
    const isInReach = !hasMore.value || (last && newestFirst(order, last) < 0);
    if (isInReach && !present.has(order.id)) rows.push({ order, isGhost: true });
  }
  return ghosts.value.size === 0 ? rows : rows.toSorted((a, b) => newestFirst(a.order, b.order));
}
