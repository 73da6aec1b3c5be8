import { expect, test } from "vitest";
import type { Change } from "../../protocol/change.ts";
import { passesFeed, toEntry } from "./feed-entry.ts";

const change: Change = {
  seq: 1,
  xid: "800",
  table: "orders",
  operation: "UPDATE",
  key: { id: 12 },
  data: { id: 12, customer_name: "Jane Smith", product_name: "Laptop", status: "shipped", amount: null },
  old: { status: "pending" },
  timestamp: "2026-11-20T10:00:01.000000Z",
};

test("an entry is found by what it shows: its number, its customer, what was and what is", () => {
  const entry = toEntry(change, 3);
  for (const text of ["", "#12", "JANE", "pending", "shipped", "status"])
    expect(passesFeed(null, text, false)(entry)).toBe(true);
  expect(passesFeed(null, "laptop", false)(entry)).toBe(false); // an update shows what changed
});

test("an entry is found by its operation", () => {
  expect(passesFeed("UPDATE", "", false)(toEntry(change, 3))).toBe(true);
  expect(passesFeed("DELETE", "", false)(toEntry(change, 3))).toBe(false);
});

test("other tables show only when they are asked for", () => {
  const probe = toEntry({ ...change, table: "rowcast.probes" }, 3);
  expect(passesFeed(null, "", false)(probe)).toBe(false);
  expect(passesFeed(null, "", true)(probe)).toBe(true);
});
