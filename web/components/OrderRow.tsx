import type { Order } from "../../protocol/orders.ts";
import { clip } from "../state/describe.ts";
import type { Flash } from "../state/flashes.ts";
import { fullTime, shortTime } from "../state/times.ts";
import { memo } from "./memo.ts";
import { OperationMark } from "./OperationMark.tsx";
import { BinIcon, ChevronIcon, ClockIcon, PencilIcon } from "./OrdersIcons.tsx";
import { StatusMark } from "./StatusMark.tsx";

interface Props {
  readonly order: Order;
  /** Its place among the rows that are shown. */
  readonly index: number;
  /** Where it stands, in px. */
  readonly top: number;
  readonly flash: Flash | undefined;
  /** Deleted, and about to go. */
  readonly isGhost: boolean;
  /** Shown as it will be, not saved yet. */
  readonly isPending: boolean;
  readonly isSelected: boolean;
  /** The row by which the keyboard comes into the table; what can be done with it comes after it. */
  readonly isEntrance: boolean;
}

/** More of a text than fits anywhere; the product of an order may be 200 kB long. */
const MAX_TEXT_CHARS = 160;

const AMOUNT = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** One order. What is done with it is heard by the table (OrdersPointer.ts, OrdersKeys.ts), by `data-row` and `data-control`. */
export const OrderRow = memo((props: Props) => {
  const { order, index, top, flash, isGhost, isPending, isSelected, isEntrance } = props;
  const { id } = order;
  const changed = (column: keyof Order) => (flash?.columns.has(column) ? "" : undefined);
  const number = `order-${id}`;
  const control = { type: "button", tabIndex: isEntrance ? 0 : -1, "aria-describedby": number } as const;
  return (
    <div
      role="row"
      class="grid-row"
      style={{ transform: `translateY(${top}px)` }}
      tabIndex={isEntrance ? 0 : -1}
      data-row={id}
      data-testid={isGhost ? undefined : "order-row"}
      data-order-id={isGhost ? undefined : id}
      data-flash={flash?.operation}
      data-turn={flash?.turn}
      data-pending={isPending || undefined}
      aria-rowindex={index + 2}
      aria-selected={isSelected}
    >
      <div role="gridcell" class="cell-select" aria-colindex={1}>
        {!isGhost && (
          <input
            type="checkbox"
            class="checkbox"
            data-control="select"
            tabIndex={control.tabIndex}
            aria-label={`Select order ${id}`}
            checked={isSelected}
          />
        )}
      </div>
      <div role="gridcell" class="cell-id" aria-colindex={2} id={isGhost ? undefined : number}>
        <span class="sr-only">Order </span>
        {id > 0 ? id : "new"}
        {flash ? <OperationMark operation={flash.operation} /> : isPending && <PendingMark />}
      </div>
      <div role="gridcell" class="cell-customer" aria-colindex={3} data-changed={changed("customer_name")}>
        {clip(order.customer_name, MAX_TEXT_CHARS)}
      </div>
      <div role="gridcell" class="cell-product" aria-colindex={4} data-changed={changed("product_name")}>
        {clip(order.product_name, MAX_TEXT_CHARS)}
      </div>
      <div role="gridcell" class="cell-status" aria-colindex={5} data-changed={changed("status")}>
        {isGhost ? (
          <StatusMark status={order.status} />
        ) : (
          <button {...control} class="status-button" data-control="status" aria-haspopup="menu">
            <span class="sr-only">Status: </span>
            <StatusMark status={order.status} />
            <ChevronIcon />
          </button>
        )}
      </div>
      <div role="gridcell" class="cell-amount" aria-colindex={6} data-changed={changed("amount")}>
        {order.amount === null ? <NoAmount /> : AMOUNT.format(order.amount)}
      </div>
      <div role="gridcell" class="cell-updated" aria-colindex={7}>
        <time dateTime={order.updated_at} title={fullTime(order.updated_at)}>
          {shortTime(order.updated_at)}
        </time>
      </div>
      <div role="gridcell" class="cell-actions" aria-colindex={8}>
        {!isGhost && (
          <>
            <button {...control} class="icon-button" data-control="edit" aria-label="Edit" title="Edit">
              <PencilIcon />
            </button>
            <button {...control} class="icon-button" data-control="delete" aria-label="Delete" title="Delete">
              <BinIcon />
            </button>
          </>
        )}
      </div>
    </div>
  );
});

function PendingMark() {
  return (
    <span class="pending-mark" title="Not saved yet" data-testid="pending">
      <ClockIcon />
      <span class="sr-only">not saved yet</span>
    </span>
  );
}

function NoAmount() {
  return (
    <span class="none">
      <span aria-hidden="true">–</span>
      <span class="sr-only">none</span>
    </span>
  );
}
