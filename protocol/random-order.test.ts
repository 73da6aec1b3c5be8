import { expect, test } from "vitest";
import { randomOrder } from "./random-order.ts";

test.each([0, 0.5, 0.999_999])("with %f drawn, an order is made up that the API takes", (drawn) => {
  const { customer_name, product_name, amount } = randomOrder(() => drawn);
  expect(customer_name).toMatch(/^\w+ \w+$/);
  expect(product_name).not.toBe("");
  expect(amount).toBe(Number(amount.toFixed(2)));
});
