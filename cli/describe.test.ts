import { expect, test } from "vitest";
import type { Change } from "../client/index.ts";
import { describeChange, describeState } from "./describe.ts";
import type { Paint } from "./paint.ts";

const plain: Paint = (_colour, text) => text;
const order = { id: 1, customer_name: "John Doe", status: "shipped" };
const change: Change = {
  seq: 1,
  xid: "700",
  table: "orders",
  operation: "UPDATE",
  key: { id: 1 },
  data: order,
  old: { status: "pending" },
  timestamp: "2026-11-20T10:03:22.123456Z",
};

test("an update shows what each changed column was and is", () => {
  expect(describeChange(change, plain)).toBe(
    "10:03:22.123  UPDATE    orders  id=1  status pending → shipped",
  );
});

test("an insert shows the row, without saying the key twice", () => {
  const text = describeChange({ ...change, operation: "INSERT", old: null }, plain);
  expect(text).toBe('10:03:22.123  INSERT    orders  id=1  customer_name="John Doe" status=shipped');
});

test("a truncate shows the table, a row too large to travel says so", () => {
  expect(describeChange({ ...change, operation: "TRUNCATE", key: null, data: null, old: null }, plain)).toBe(
    "10:03:22.123  TRUNCATE  orders",
  );
  expect(describeChange({ ...change, data: null, old: null, truncated: true }, plain)).toContain("too large");
});

test("the operation decides the colour", () => {
  const tagged: Paint = (colour, text) => `<${colour}>${text}`;
  expect(describeChange(change, tagged)).toContain("<yellow>UPDATE");
});

test("long values are cut, and nothing in a row can command the terminal", () => {
  const data = { id: 1, customer_name: "\u001B[2J\u009B31m\u202Eevil", status: "x".repeat(500) };
  const text = describeChange({ ...change, operation: "INSERT", old: null, data }, plain);
  expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(text.length).toBeLessThan(250);
});

test("a wait says how long, and why", () => {
  const state = { name: "waiting", retryAt: 2_200, attempt: 2, reason: "the connection was lost" } as const;
  expect(describeState(state, 1_000)).toBe("trying again in 1.2 s (2 failed): the connection was lost");
});

test("of an order what people read comes first, and its times stay out unless nothing else changed", () => {
  const data = {
    id: 1,
    amount: 3,
    created_at: "c",
    updated_at: "u",
    status: "pending",
    customer_name: "Ada",
  };
  expect(describeChange({ ...change, operation: "INSERT", old: null, data }, plain)).toContain(
    "id=1  customer_name=Ada status=pending amount=3",
  );
  expect(describeChange({ ...change, data, old: { updated_at: "t" } }, plain)).toContain("updated_at t → u");
});

test("what is nothing is not said of a new row, but of a change", () => {
  const data = { id: 1, status: "pending", amount: null };
  expect(describeChange({ ...change, operation: "INSERT", old: null, data }, plain)).not.toContain("null");
  expect(describeChange({ ...change, data, old: { amount: 3 } }, plain)).toContain("amount 3 → null");
});
