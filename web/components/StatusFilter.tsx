import { ORDER_STATUSES } from "../../protocol/order-status.ts";
import { counts, statusFilter } from "../state/orders.ts";

/** Which orders the table shows. */
export function StatusFilter() {
  const { all, byStatus } = counts.value;
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
          <span class="count">{(status === null ? all : byStatus[status]).toLocaleString()}</span>
        </label>
      ))}
    </fieldset>
  );
}
