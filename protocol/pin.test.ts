import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Change, Row } from "./change.ts";
import { parseExact } from "./exact-json.ts";
import { throughPin } from "./pin.ts";

const PIN = { orders: { customer: ["Ada"] } };
const BASE = { seq: 1, xid: "7", table: "orders", key: { id: 1 }, timestamp: "2026-11-21T00:00:00.000000Z" };

describe("a pin", () => {
  it("shows a row that leaves it as deleted, with nothing of what it has become", () => {
    const change: Change = {
      ...BASE,
      operation: "UPDATE",
      data: { id: 1, customer: "Eve", note: "Eve's" },
      old: { customer: "Ada", note: "Ada's" },
    };
    expect(throughPin(PIN, change)).toEqual({
      ...BASE,
      operation: "DELETE",
      data: { id: 1, customer: "Ada", note: "Ada's" },
      old: null,
    });
  });

  it("shows a row that enters it as inserted, with nothing of what it has been", () => {
    const change: Change = {
      ...BASE,
      operation: "UPDATE",
      data: { id: 1, customer: "Ada", note: "now" },
      old: { customer: "Eve", note: "before" },
    };
    expect(throughPin(PIN, change)).toEqual({ ...change, operation: "INSERT", old: null });
  });

  it("hides tables that it does not name, and rows of which it cannot be said that they are inside", () => {
    const inside: Change = { ...BASE, operation: "INSERT", data: { id: 1, customer: "Ada" }, old: null };
    expect(throughPin(PIN, inside)).toBe(inside);
    expect(throughPin(PIN, { ...inside, table: "salaries" })).toBeNull();
    expect(throughPin(PIN, { ...inside, table: "constructor" })).toBeNull();
    expect(throughPin(PIN, { ...inside, data: { id: 1 } })).toBeNull();
    expect(throughPin(PIN, { ...inside, data: null, truncated: true })).toBeNull();
    expect(throughPin({ orders: { id: [1] } }, { ...inside, data: null, truncated: true })).not.toBeNull();
  });

  it("keeps every digit of a number in a change that is written anew", () => {
    const text =
      '{"seq":1,"xid":"7","table":"orders","operation":"UPDATE","key":{"id":1},"data":{"id":1,"customer":"Eve","n":12345678901234567890.10},"old":{"customer":"Ada"},"timestamp":"t"}';
    expect(JSON.stringify(throughPin(PIN, parseExact(text) as Change))).toContain("12345678901234567890.10");
  });

  it("leaves its bearer with exactly the rows inside, whatever happens, and tells nothing of others", () => {
    const customers = fc.constantFrom("Ada", "Eve", "Joe");
    const step = fc.record({ id: fc.integer({ min: 1, max: 4 }), customer: customers, gone: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const table = new Map<number, Row>();
        const seen = new Map<number, Row>();
        for (const [index, { id, customer, gone }] of steps.entries()) {
          const before = table.get(id);
          if (gone && !before) continue;
          const row: Row = { id, customer, secret: `${customer}:${index}` };
          if (gone) table.delete(id);
          else table.set(id, row);
          const change: Change = {
            ...BASE,
            seq: index + 1,
            key: { id },
            operation: gone ? "DELETE" : before ? "UPDATE" : "INSERT",
            data: gone ? (before ?? null) : row,
            old:
              gone || !before
                ? null
                : Object.fromEntries(Object.entries(before).filter(([name, value]) => value !== row[name])),
          };
          const shown = throughPin(PIN, change);
          expect(JSON.stringify(shown)).not.toMatch(/Eve|Joe/);
          if (shown?.operation === "DELETE") expect(seen.delete(id)).toBe(true);
          else if (shown?.data) {
            expect(seen.has(id)).toBe(shown.operation === "UPDATE");
            seen.set(id, shown.data);
          }
        }
        expect(seen).toEqual(new Map([...table].filter(([, { customer }]) => customer === "Ada")));
      }),
    );
  });
});
