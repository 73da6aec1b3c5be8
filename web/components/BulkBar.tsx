import { bulkProgress, setStatuses } from "../state/orders-bulk.ts";
import { openStatusMenu } from "../state/orders-menu.ts";
import { visibleOrders } from "../state/orders.ts";
import { clearSelection, selectAll, selectedCount, selectedIds } from "../state/selection.ts";
import { ChevronIcon } from "./OrdersIcons.tsx";

/** What can be done with those that are selected. */
export function BulkBar() {
  const count = selectedCount.value;
  const all = visibleOrders.value.length;
  const busy = bulkProgress.value;
  return (
    <div class="bulk" role="group" aria-label="Selected orders">
      <strong class="bulk-count" role="status">
        {busy
          ? `Saving ${busy.done.toLocaleString()} of ${busy.of.toLocaleString()}`
          : `${count.toLocaleString()} selected`}
      </strong>
      <button
        type="button"
        class="button button-small"
        aria-haspopup="menu"
        aria-disabled={busy !== null}
        onClick={(event) => {
          if (busy) return;
          openStatusMenu({
            anchor: event.currentTarget,
            label: "Status of the selected orders",
            current: null,
            pick: (status) => void setStatuses(selectedIds(), status),
          });
        }}
      >
        Set status
        <ChevronIcon />
      </button>
      {!busy && count < all && (
        <button type="button" class="button button-quiet button-small" onClick={selectAll}>
          Select all {all.toLocaleString()} that match
        </button>
      )}
      {!busy && (
        <button type="button" class="button button-quiet button-small" onClick={clearSelection}>
          Clear
        </button>
      )}
    </div>
  );
}
