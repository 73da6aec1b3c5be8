import { expect, test } from "vitest";
import type { Order } from "../../protocol/orders.ts";
import { changedFields, followRow, parseAmount, pickFields, toDraft } from "./draft.ts";

const order: Order = {
  id: 1,
  customer_name: "Jane",
  product_name: "Laptop",
  status: "pending",
  amount: 10,
  created_at: "",
  updated_at: "",
};

test.each([
  ["", null],
  ["  ", null],
  ["19.90", 19.9],
  ["-1", -1],
  [".5", 0.5],
  ["1,200", undefined],
  ["1e3", undefined],
  ["abc", undefined],
  ["Infinity", undefined],
])("the amount %j is read as %j", (text, amount) => {
  expect(parseAmount(text)).toBe(amount);
});

test("only the fields that were touched are sent", () => {
  const draft = { ...toDraft(order), status: "shipped" as const, amount: "" };
  const changed = changedFields(toDraft(order), draft);
  expect(pickFields(draft, changed)).toEqual({ status: "shipped", amount: null });
});

test("when the row changes meanwhile, what was typed stays and the rest follows the row", () => {
  const base = toDraft(order);
  const typed = { ...base, product_name: "Laptop 14" };
  const present = { ...base, product_name: "Desktop", status: "shipped" as const };
  expect(followRow(typed, base, present)).toEqual({ ...base, product_name: "Laptop 14", status: "shipped" });
});
