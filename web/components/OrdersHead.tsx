import { sort } from "../state/orders-list.ts";
import { visibleOrders } from "../state/orders.ts";
import type { Column } from "../state/orders-sort.ts";
import { clearSelection, selectAll, selectedCount } from "../state/selection.ts";
import { SortIcon } from "./OrdersIcons.tsx";

interface HeadColumn {
  readonly column: Column;
  readonly label: string;
  readonly style: string;
}

export const COLUMNS: readonly HeadColumn[] = [
  { column: "id", label: "Id", style: "cell-id" },
  { column: "customer_name", label: "Customer", style: "cell-customer" },
  { column: "product_name", label: "Product", style: "cell-product" },
  { column: "status", label: "Status", style: "cell-status" },
  { column: "amount", label: "Amount", style: "cell-amount" },
  { column: "updated_at", label: "Updated", style: "cell-updated" },
];

/** The names of the columns; each sorts by its own, and a second time the other way round. */
export function OrdersHead() {
  return (
    <div role="rowgroup" class="grid-head">
      <div role="row" class="grid-row" aria-rowindex={1}>
        <div role="columnheader" class="cell-select" aria-colindex={1}>
          <SelectAll />
        </div>
        {COLUMNS.map((head, index) => (
          <Head key={head.column} {...head} position={index + 2} />
        ))}
        <div role="columnheader" class="cell-actions" aria-colindex={8}>
          <span class="sr-only">Actions</span>
        </div>
      </div>
    </div>
  );
}

function SelectAll() {
  const count = selectedCount.value;
  const all = visibleOrders.value.length;
  return (
    <input
      type="checkbox"
      class="checkbox"
      aria-label="Select all orders that match"
      checked={count > 0 && count >= all}
      ref={(input) => {
        if (input) input.indeterminate = count > 0 && count < all;
      }}
      onChange={() => (count > 0 ? clearSelection() : selectAll())}
    />
  );
}

function Head({ column, label, style, position }: HeadColumn & { readonly position: number }) {
  const { column: by, descending } = sort.value;
  const isSorted = by === column;
  return (
    <div
      role="columnheader"
      class={style}
      aria-colindex={position}
      aria-sort={isSorted ? (descending ? "descending" : "ascending") : undefined}
    >
      <button type="button" class="sort" data-sorted={isSorted || undefined} onClick={() => sortBy(column)}>
        {label}
        {isSorted && <SortIcon descending={descending} />}
      </button>
    </div>
  );
}

/** The first click brings up what one looks for: the newest number, the latest time, the largest amount, otherwise A. */
export function sortBy(column: Column): void {
  const { column: by, descending } = sort.value;
  const isLargeFirst = column === "id" || column === "amount" || column === "updated_at";
  sort.value = { column, descending: by === column ? !descending : isLargeFirst };
}
