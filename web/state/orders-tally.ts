/** How many orders there are: kept by adding what comes and taking off what goes, never by counting again. Pure. */
import { ORDER_STATUSES } from "../../protocol/order-status.ts";
import type { OrderStatus } from "../../protocol/orders.ts";
import type { RowStep } from "./orders-sort.ts";

export interface Counts {
  readonly all: number;
  readonly byStatus: Readonly<Record<OrderStatus, number>>;
  /** Different names. */
  readonly customers: number;
}

export const NO_COUNTS: Counts = {
  all: 0,
  byStatus: Object.fromEntries(ORDER_STATUSES.map((status) => [status, 0])) as Record<OrderStatus, number>,
  customers: 0,
};

export interface Tally {
  apply(steps: readonly RowStep[]): void;
  counts(): Counts;
}

export function createTally(): Tally {
  let all = 0;
  const byStatus = { ...NO_COUNTS.byStatus };
  const ordersOf = new Map<string, number>();
  const count = ({ customer_name, status }: { customer_name: string; status: OrderStatus }, by: 1 | -1) => {
    all += by;
    byStatus[status] += by;
    const theirs = (ordersOf.get(customer_name) ?? 0) + by;
    if (theirs > 0) ordersOf.set(customer_name, theirs);
    else ordersOf.delete(customer_name);
  };
  return {
    apply(steps) {
      for (const { before, after } of steps) {
        if (before) count(before, -1);
        if (after) count(after, 1);
      }
    },
    counts: () => ({ all, byStatus: { ...byStatus }, customers: ordersOf.size }),
  };
}
