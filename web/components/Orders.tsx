import { connection } from "../state/connection.ts";
import { openDialog } from "../state/dialogs.ts";
import { ghosts } from "../state/flashes.ts";
import { loadError, loadState, orders, total, visibleOrders } from "../state/orders.ts";
import { MoreRows } from "./MoreRows.tsx";
import { EmptyTable, FailedTable, NothingMatches, SkeletonTable, UnreachableTable } from "./OrdersStates.tsx";
import { OrdersTable } from "./OrdersTable.tsx";
import { StatusFilter } from "./StatusFilter.tsx";

/** The orders, or what stands in for them. */
export function Orders() {
  return (
    <section class="pane orders" aria-labelledby="orders-title">
      <div class="pane-head">
        <h2 id="orders-title" tabIndex={-1}>
          Orders <Count />
        </h2>
        <StatusFilter />
        <button
          type="button"
          class="button button-primary"
          onClick={() => {
            openDialog.value = { kind: "new" };
          }}
        >
          New order
        </button>
      </div>
      <Content />
    </section>
  );
}

function Count() {
  const shown = orders.value.length;
  if (loadState.value === "loading") return null;
  if (total.value <= shown) return <span class="count">{shown.toLocaleString()}</span>;
  return (
    <span class="count">
      newest {shown.toLocaleString()} of about {total.value.toLocaleString()}
    </span>
  );
}

function Content() {
  const hasRows = orders.value.length > 0;
  if (!hasRows && ghosts.value.size === 0) {
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
      <OrdersTable />
      <MoreRows />
      {hasRows && visibleOrders.value.length === 0 && <NothingMatches />}
    </>
  );
}
