import { expect, test } from "vitest";
import type { Change, Operation } from "../../protocol/change.ts";
import { announce, clip, describeChange } from "./describe.ts";

const order = {
  id: 12,
  customer_name: "Jane Smith",
  product_name: "Laptop",
  status: "shipped",
  amount: 19.9,
  created_at: "2026-11-20T10:00:00+00:00",
  updated_at: "2026-11-20T10:00:01+00:00",
};

function change(operation: Operation, more: Partial<Change> = {}): Change {
  const timestamp = "2026-11-20T10:00:01.000000Z";
  return {
    seq: 1,
    xid: "800",
    table: "orders",
    operation,
    key: { id: 12 },
    data: order,
    old: null,
    timestamp,
    ...more,
  };
}

test("an update tells what changed from what to what, and nothing of its own timestamp", () => {
  const old = { status: "pending", amount: null, updated_at: "2026-11-20T10:00:00+00:00" };
  expect(describeChange(change("UPDATE", { old }))).toEqual({
    subject: "#12",
    name: "Jane Smith",
    fields: [
      { field: "status", from: "pending", to: "shipped" },
      { field: "amount", from: "none", to: "19.90" },
    ],
  });
});

test("a new order tells what it holds and leaves out what is not there", () => {
  const { fields } = describeChange(change("INSERT", { data: { ...order, amount: null } }));
  expect(fields.map(({ to }) => to)).toEqual(["Laptop", "shipped"]);
});

test("a row of another table is named by its table and its whole key", () => {
  const composite = change("DELETE", {
    table: "sales.items",
    key: { order: 4, line: "a" },
    data: { qty: 2 },
  });
  expect(describeChange(composite)).toMatchObject({ subject: "sales.items (4, a)", name: "" });
});

test("a change that came without its row, and an emptied table, are told by what is known of them", () => {
  expect(describeChange(change("INSERT", { data: null, truncated: true }))).toEqual({
    subject: "#12",
    name: "",
    fields: [],
  });
  expect(describeChange(change("TRUNCATE", { data: null, key: null })).subject).toBe("orders");
});

test("a value of 200 kB is cut before it reaches the page", () => {
  const { fields } = describeChange(
    change("INSERT", { data: { ...order, product_name: "x".repeat(200_000) } }),
  );
  expect(fields[0]?.to).toHaveLength(81);
});

test("a cut never leaves half of a character", () => {
  expect(clip("ab😀cd", 3)).toBe("ab…");
});

test("one change is announced in words, several by their number", () => {
  const update = change("UPDATE", { old: { status: "pending" } });
  expect(announce(update, new Map([["UPDATE", 1]]))).toBe("Order 12 updated: status shipped");
  const counts = new Map<Operation, number>([
    ["INSERT", 3],
    ["UPDATE", 11],
  ]);
  expect(announce(update, counts)).toBe("14 changes: 3 added, 11 updated");
});
