import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Filter } from "../../protocol/filter.ts";
import { SEPARATOR, type Batch } from "../change-log/history.ts";
import { EVERYTHING, select, viewOf, type View } from "./selection.ts";
import { Views } from "./views.ts";

const value = fc.constantFrom<string | number | null>("a", "b", 1, "1", null);
const table = fc.constantFrom("orders", "items", "constructor");
const row = fc.record({ x: value, y: value }, { requiredKeys: ["x"] });

const change = fc.record({
  table,
  operation: fc.constantFrom("INSERT", "UPDATE", "DELETE"),
  data: fc.option(row),
  old: fc.option(fc.record({ x: value, y: value }, { requiredKeys: [] })),
  key: fc.option(fc.record({ x: value })),
});

const columns = fc.dictionary(
  fc.constantFrom("x", "y", "z"),
  fc.array(value, { minLength: 1, maxLength: 3 }),
  { maxKeys: 2, noNullPrototype: true },
);
const filter: fc.Arbitrary<Filter> = fc.dictionary(table, columns, { maxKeys: 3, noNullPrototype: true });
const view: fc.Arbitrary<View> = fc
  .tuple(fc.option(filter), fc.option(filter))
  .map(([pin, wish]) => viewOf(pin, wish));

function batchOf(changes: readonly object[]): Batch {
  const text = changes.map((each, i) => JSON.stringify({ seq: i + 1, ...each })).join(SEPARATOR);
  return { epoch: "e", from: 0, to: changes.length, text };
}

/** What each client is sent, by its number. */
function shared(views: Views<number>, batch: Batch): Map<number, string> {
  const sent = new Map<number, string>();
  for (const { clients, selection } of views.shares(batch)) {
    for (const client of clients) {
      expect(sent.has(client), "told twice").toBe(false);
      sent.set(client, selection.text);
    }
  }
  return sent;
}

describe("the clients of a hub, looked up by what they see", () => {
  it("are sent exactly what each would be if it were asked alone, whoever came and went", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(view, fc.boolean()), { maxLength: 12 }),
        fc.array(change, { maxLength: 8 }),
        (guests, changes) => {
          const batch = batchOf(changes);
          const views = new Views<number>();
          for (const [i, [its]] of guests.entries()) views.add(i, its);
          for (const [i, [its, leaves]] of guests.entries()) if (leaves) views.remove(i, its);
          const expected = new Map<number, string>();
          for (const [i, [its, left]] of guests.entries()) {
            const { text, count } = select(batch, its);
            if (!left && count > 0) expected.set(i, text);
          }
          expect(shared(views, batch)).toEqual(expected);
        },
      ),
    );
  });

  it("who share a view share what is sent, and nobody is asked whom a change does not concern", () => {
    const views = new Views<number>();
    let asked = 0;
    for (let id = 0; id < 2000; id += 1) {
      const own = viewOf(null, { orders: { id: [id] } });
      views.add(id, {
        ...own,
        get filter() {
          asked += 1;
          return own.filter;
        },
      });
    }
    views.add(5000, EVERYTHING);
    views.add(5001, EVERYTHING);
    asked = 0;
    const data = { id: 7, status: "pending" };
    const batch = batchOf([{ table: "orders", operation: "INSERT", key: { id: 7 }, data, old: null }]);
    expect([...shared(views, batch).keys()].toSorted((a, b) => a - b)).toEqual([7, 5000, 5001]);
    expect(asked).toBeLessThan(10);
  });

  it("are forgotten to the last one when they go", () => {
    const views = new Views<number>();
    const wish = viewOf(null, { orders: { id: [1, 2] }, items: {} });
    views.add(1, wish);
    expect(views.areFiltered).toBe(true);
    views.remove(1, wish);
    expect(views.areFiltered).toBe(false);
    const data = { id: 1 };
    expect(
      shared(views, batchOf([{ table: "orders", operation: "INSERT", key: data, data, old: null }])).size,
    ).toBe(0);
  });
});
