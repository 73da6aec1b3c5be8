import { connection } from "../state/connection.ts";
import { loadError, loadState, orders, visibleOrders } from "../state/orders.ts";
import { OrdersGrid } from "./OrdersGrid.tsx";
import { EmptyTable, FailedTable, NothingMatches, SkeletonTable, UnreachableTable } from "./OrdersStates.tsx";
import { OrdersToolbar } from "./OrdersToolbar.tsx";
import { StatusMenu } from "./StatusMenu.tsx";

/** The orders, or what stands in for them. */
export function Orders() {
  return (
    <section class="pane orders" aria-labelledby="orders-title">
      <OrdersToolbar />
      <Content />
      <StatusMenu />
    </section>
  );
}

function Content() {
  if (orders.value.length === 0) {
    const state = loadState.value;
    // it is tried again by itself, and the message should not flicker meanwhile
    if (state === "failed" || (state === "loading" && loadError.value)) return <FailedTable />;
    if (state === "ready") return <EmptyTable />;
    // the list is loaded once the stream is open, so a stream that cannot be opened is what to speak of
    const { name } = connection.value;
    return name === "waiting" || name === "offline" || name === "stopped" ? (
      <UnreachableTable />
    ) : (
      <SkeletonTable />
    );
  }
  return (
    <>
      <OrdersGrid />
      {visibleOrders.value.length === 0 && <NothingMatches />}
    </>
  );
}
