import fc from "fast-check";
import { expect, test } from "vitest";
import { ORDER_STATUSES } from "../../protocol/order-status.ts";
import type { Order } from "../../protocol/orders.ts";
import { createTally, NO_COUNTS } from "./orders-tally.ts";

const order = (id: number) =>
  fc.record<Order>({
    id: fc.constant(id),
    customer_name: fc.constantFrom("Ada", "Bob", "constructor"),
    product_name: fc.constant(""),
    status: fc.constantFrom(...ORDER_STATUSES),
    amount: fc.constant(null),
    created_at: fc.constant(""),
    updated_at: fc.constant(""),
  });

test("a tally kept by steps is what counting everything gives", () => {
  const steps = fc.array(
    fc
      .integer({ min: 1, max: 8 })
      .chain((id) => fc.record({ id: fc.constant(id), after: fc.option(order(id)) })),
  );
  fc.assert(
    fc.property(steps, (list) => {
      const tally = createTally();
      const rows = new Map<number, Order>();
      for (const { id, after } of list) {
        tally.apply([{ before: rows.get(id), after: after ?? undefined }]);
        if (after) rows.set(id, after);
        else rows.delete(id);
      }
      const present = [...rows.values()];
      const byStatus = { ...NO_COUNTS.byStatus };
      for (const { status } of present) byStatus[status] += 1;
      const customers = new Set(present.map(({ customer_name }) => customer_name)).size;
      expect(tally.counts()).toEqual({ all: present.length, byStatus, customers });
    }),
  );
});
