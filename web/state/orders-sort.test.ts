import fc from "fast-check";
import { expect, test } from "vitest";
import { ORDER_STATUSES } from "../../protocol/order-status.ts";
import type { Order } from "../../protocol/orders.ts";
import { type Column, comparing, patchSorted, placeOf, type RowStep, sortInSlices } from "./orders-sort.ts";

const COLUMNS: readonly Column[] = ["id", "customer_name", "product_name", "status", "amount", "updated_at"];

const order = (id: number) =>
  fc.record<Order>({
    id: fc.constant(id),
    customer_name: fc.constantFrom("Ada", "ada", "Änne", "Bob", "bob 2", "Zoë"),
    product_name: fc.constantFrom("Engine", "Lamp"),
    status: fc.constantFrom(...ORDER_STATUSES),
    amount: fc.constantFrom(null, 0, 1, 2.5),
    created_at: fc.constant(""),
    updated_at: fc.constantFrom("2026-01-01", "2026-01-02"),
  });
const sort = fc.record({ column: fc.constantFrom(...COLUMNS), descending: fc.boolean() });

/** Rows as they were and as they are: some gone, some new, some others. */
const history = fc
  .uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 40 })
  .chain((ids) =>
    fc.tuple(
      ...ids.map((id) =>
        fc.record({ before: fc.option(order(id)), after: fc.option(order(id)), same: fc.boolean() }),
      ),
    ),
  )
  .map((rows) => rows.map(({ before, after, same }) => ({ before, after: same ? before : after })));

test("a patched list is what sorting everything anew would give", () => {
  fc.assert(
    fc.property(history, sort, (rows, by) => {
      const compare = comparing(by);
      const present = (list: readonly (Order | null)[]) =>
        list.filter((row) => row !== null).toSorted(compare);
      const steps: RowStep[] = rows
        .filter(({ before, after }) => before !== after)
        .map(({ before, after }) => ({ before: before ?? undefined, after: after ?? undefined }));
      const patched = patchSorted(present(rows.map(({ before }) => before)), compare, steps);
      expect(patched).toEqual(present(rows.map(({ after }) => after)));
    }),
  );
});

test("a descending list is the ascending one from behind, ties too", () => {
  fc.assert(
    fc.property(history, fc.constantFrom(...COLUMNS), (rows, column) => {
      const list = rows.flatMap(({ before }) => before ?? []);
      const up = list.toSorted(comparing({ column, descending: false }));
      expect(list.toSorted(comparing({ column, descending: true }))).toEqual(up.toReversed());
    }),
  );
});

test("each row is found where it is", () => {
  fc.assert(
    fc.property(history, sort, (rows, by) => {
      const compare = comparing(by);
      const list = rows.flatMap(({ before }) => before ?? []).toSorted(compare);
      for (const [index, row] of list.entries())
        expect(placeOf(list, compare, row)).toEqual({ index, found: true });
    }),
  );
});

test("a sort in slices is a sort, and lets the page breathe", () => {
  const make = (id: number): Order => ({
    id,
    customer_name: `Customer ${(id * 7919) % 1009}`,
    product_name: "",
    status: "pending",
    amount: null,
    created_at: "",
    updated_at: "",
  });
  const rows = Array.from({ length: 10_000 }, (_, index) => make(index + 1));
  const compare = comparing({ column: "customer_name", descending: false });
  const sorting = sortInSlices(rows, compare);
  let breaths = 0;
  let step = sorting.next();
  for (; !step.done; step = sorting.next()) breaths++;
  expect(step.value).toEqual(rows.toSorted(compare));
  expect(breaths).toBeGreaterThan(4);
});
