import type { Order } from "../../protocol/orders.ts";
import { openDialog } from "../state/dialogs.ts";
import { clip } from "../state/describe.ts";
import type { Flash } from "../state/flashes.ts";
import { fullTime, shortTime } from "../state/times.ts";
import { memo } from "./memo.ts";
import { OperationMark } from "./OperationMark.tsx";
import { StatusMark } from "./StatusMark.tsx";

interface Props {
  readonly order: Order;
  readonly flash: Flash | undefined;
  /** Deleted, and about to go. */
  readonly isGhost: boolean;
}

/** More of a text than fits anywhere; the product of an order may be 200 kB long. */
const MAX_TEXT_CHARS = 160;

const AMOUNT = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });

export const OrderRow = memo(({ order, flash, isGhost }: Props) => {
  const changed = (column: keyof Order) => (flash?.columns.has(column) ? "" : undefined);
  const idCell = `order-${order.id}`;
  return (
    <tr
      role="row"
      data-testid={isGhost ? undefined : "order-row"}
      data-order-id={isGhost ? undefined : order.id}
      data-flash={flash?.operation}
      data-turn={flash?.turn}
      aria-hidden={isGhost || undefined}
    >
      <td role="cell" class="col-mark">
        {flash && <OperationMark operation={flash.operation} />}
      </td>
      <td role="cell" class="col-id" id={isGhost ? undefined : idCell}>
        <span class="sr-only">Order </span>
        {order.id}
      </td>
      <td role="cell" class="col-customer" data-changed={changed("customer_name")}>
        <span>{clip(order.customer_name, MAX_TEXT_CHARS)}</span>
      </td>
      <td role="cell" class="col-product" data-changed={changed("product_name")}>
        <span>{clip(order.product_name, MAX_TEXT_CHARS)}</span>
      </td>
      <td role="cell" class="col-status" data-changed={changed("status")}>
        <StatusMark status={order.status} />
      </td>
      <td role="cell" class="col-amount" data-changed={changed("amount")}>
        {order.amount === null ? <NoAmount /> : <span>{AMOUNT.format(order.amount)}</span>}
      </td>
      <td role="cell" class="col-updated">
        <time dateTime={order.updated_at} title={fullTime(order.updated_at)}>
          {shortTime(order.updated_at)}
        </time>
      </td>
      <td role="cell" class="col-actions">
        {!isGhost && (
          <>
            <button
              type="button"
              class="button button-quiet button-small"
              aria-describedby={idCell}
              onClick={() => {
                openDialog.value = { kind: "edit", order };
              }}
            >
              Edit
            </button>
            <button
              type="button"
              class="button button-quiet button-small"
              aria-describedby={idCell}
              onClick={() => {
                openDialog.value = { kind: "delete", order };
              }}
            >
              Delete
            </button>
          </>
        )}
      </td>
    </tr>
  );
});

function NoAmount() {
  return (
    <span class="none">
      <span aria-hidden="true">–</span>
      <span class="sr-only">none</span>
    </span>
  );
}
