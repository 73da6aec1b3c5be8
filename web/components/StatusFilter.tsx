import { countByStatus, orders, statusFilter } from "../state/orders.ts";
import { ORDER_STATUSES } from "../../protocol/order-status.ts";

/** Which orders the table shows. */
export function StatusFilter() {
  if (orders.value.length === 0) return null;
  return (
    <fieldset class="filter">
      <legend class="sr-only">Show</legend>
      {[null, ...ORDER_STATUSES].map((status) => (
        <label key={status} class="chip">
          <input
            type="radio"
            name="show"
            class="sr-only"
            checked={statusFilter.value === status}
            onChange={() => {
              statusFilter.value = status;
            }}
          />
          {status ?? "all"}{" "}
          <span class="count">{status === null ? orders.value.length : countByStatus.value[status]}</span>
        </label>
      ))}
    </fieldset>
  );
}
