import { expect, test } from "vitest";
import type { Order } from "../../protocol/orders.ts";
import { passing } from "./search.ts";

const order: Order = {
  id: 12,
  customer_name: "Jane Smith",
  product_name: "Laptop",
  status: "shipped",
  amount: null,
  created_at: "",
  updated_at: "",
};

test.each([
  ["jane", true],
  ["  SMITH ", true],
  ["12", true],
  ["#12", true],
  ["1", false],
  ["laptop", false],
])("a search for %j finds order 12 of Jane Smith: %j", (text, found) => {
  expect(passing(null, text)?.(order)).toBe(found);
  expect(passing("shipped", text)?.(order)).toBe(found);
  expect(passing("pending", text)?.(order)).toBe(false);
});

test("with nothing asked for nothing is looked at", () => {
  expect(passing(null, "  ")).toBeNull();
});
