import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Change, Row } from "./change.ts";
import { parseExact, scalarText } from "./exact-json.ts";
import { filterFromSearch } from "./filter-address.ts";
import { addToFilter, changePasses, filterToSearch, rowPasses, takeFromFilter, toFilter } from "./filter.ts";
import { distance, formatPosition, parsePosition } from "./position.ts";
import { isVisible, parseSnapshot } from "./snapshot.ts";

describe("a position", () => {
  it("is read back from what was written", () => {
    const position = fc.record({
      epoch: fc.stringMatching(/^[0-9a-z]{1,32}$/),
      seq: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    });
    fc.assert(
      fc.property(position, (p) => {
        expect(parsePosition(formatPosition(p))).toEqual(p);
      }),
    );
  });

  it.each(["", "a", "a.", ".1", "a.-1", "a.01", "A.1", "a.1.2", "a.1 ", "a.99999999999999999", "é.1"])(
    "is not %o",
    (text) => expect(parsePosition(text)).toBeNull(),
  );

  it("has a distance to another of its epoch only", () => {
    expect(distance({ epoch: "a", seq: 2 }, { epoch: "a", seq: 5 })).toBe(3);
    expect(distance({ epoch: "a", seq: 2 }, { epoch: "b", seq: 5 })).toBeNull();
  });
});

describe("exact JSON", () => {
  it.each([
    "9007199254740993",
    "-9007199254740993",
    "12345678901234567890.123456789",
    "0.1234567890123456789",
    "123456789012345678901234567890",
  ])("keeps every digit of %s", (text) => {
    expect(JSON.stringify(parseExact(`{"n":[${text}]}`))).toBe(`{"n":[${text}]}`);
    expect(scalarText(parseExact(text))).toBe(text);
  });

  it("keeps them wherever a number may stand", () => {
    const [number, space] = [
      fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
      fc.stringMatching(/^[ \t\n\r]{0,2}$/),
    ];
    const place = fc.constantFrom(
      "X",
      "[X]",
      "[1,X]",
      '["s",X,X]',
      '{"a"_:X}',
      '{"a":1,"b"_:X}',
      '[{"a":[X],"b":{"c":X}}]',
    );
    fc.assert(
      fc.property(number, space, place, (n, s, where) => {
        const text = where.replaceAll("X", `${s}${n}${s}`).replaceAll("_", s);
        expect(JSON.stringify(parseExact(text))).toBe(text.replaceAll(/\s/g, ""));
      }),
    );
  });

  it("reads everything else as JSON.parse does", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseExact(text)).toEqual(JSON.parse(text));
      }),
    );
    expect(
      parseExact(
        '{"a":12.50,"b":1.0000000000000000,"c":"1234567890123456789","d":":1234567890123456789,1234567890123456789"}',
      ),
    ).toEqual({
      a: 12.5,
      b: 1,
      c: "1234567890123456789",
      d: ":1234567890123456789,1234567890123456789",
    });
  });

  it("refuses what is no JSON", () => {
    expect(() => parseExact("{")).toThrow(SyntaxError);
  });
});

describe("a snapshot", () => {
  it("sees what had ended when it was taken", () => {
    const snapshot = parseSnapshot("10:20:12,15");
    const visible = Array.from({ length: 15 }, (_, i) => 8 + i).filter((xid) =>
      isVisible(String(xid), snapshot),
    );
    expect(visible).toEqual([8, 9, 10, 11, 13, 14, 16, 17, 18, 19]);
  });

  it("is told from other text", () => {
    expect(() => parseSnapshot("10:20")).toThrow(TypeError);
    expect(() => parseSnapshot("10:20:1,")).toThrow(TypeError);
  });
});

function change(partial: Partial<Change>): Pick<Change, "table" | "data" | "old" | "key"> {
  return { table: "orders", key: { id: 1 }, data: { id: 1, status: "pending" }, old: null, ...partial };
}

describe("a filter", () => {
  const pending = { orders: { status: ["pending"] } };

  it("lets a change pass whose new or whose old values match", () => {
    expect(changePasses(pending, change({}))).toBe(true);
    expect(changePasses(pending, change({ data: { status: "shipped" }, old: { status: "pending" } }))).toBe(
      true,
    );
    expect(changePasses(pending, change({ data: { status: "pending" }, old: { status: "shipped" } }))).toBe(
      true,
    );
    expect(changePasses(pending, change({ data: { status: "shipped" }, old: { amount: 1 } }))).toBe(false);
  });

  it("asks for all columns of a table, and any value of a column", () => {
    const filter = { orders: { status: ["pending", "shipped"], id: [1] } };
    expect(changePasses(filter, change({ data: { id: 1, status: "shipped" } }))).toBe(true);
    expect(changePasses(filter, change({ data: { id: 2, status: "shipped" } }))).toBe(false);
    const moved = change({ data: { id: 1, status: "completed" }, old: { status: "shipped" } });
    expect(changePasses(filter, moved)).toBe(true);
  });

  it("lets nothing of other tables pass, and everything when there is none", () => {
    expect(changePasses(pending, change({ table: "items" }))).toBe(false);
    expect(changePasses({}, change({}))).toBe(false);
    expect(changePasses(null, change({ table: "items" }))).toBe(true);
    expect(changePasses(pending, change({ table: "constructor" }))).toBe(false);
  });

  it("lets pass what it cannot judge: TRUNCATE, and rows too large to send", () => {
    expect(changePasses(pending, change({ key: null, data: null }))).toBe(true);
    expect(changePasses(pending, change({ data: null }))).toBe(true);
    expect(changePasses({ orders: { id: [2] } }, change({ data: null }))).toBe(false);
  });

  it("compares values as text, digits as they are written, null only with null", () => {
    const row = parseExact('{"id":9007199254740993,"note":null}') as Record<string, unknown>;
    expect(rowPasses({ orders: { id: ["9007199254740993"] } }, "orders", row)).toBe(true);
    expect(rowPasses({ orders: { id: ["9007199254740992"] } }, "orders", row)).toBe(false);
    expect(rowPasses({ orders: { note: [null] } }, "orders", row)).toBe(true);
    expect(rowPasses({ orders: { note: ["null"] } }, "orders", row)).toBe(false);
  });

  it("is narrowed by the first wish and widened by the next", () => {
    const first = addToFilter(null, pending);
    expect(first).toEqual(pending);
    expect(addToFilter(first, { orders: { status: ["shipped", "pending"] }, items: {} })).toEqual({
      orders: { status: ["pending", "shipped"] },
      items: {},
    });
    expect(pending).toEqual({ orders: { status: ["pending"] } });
  });

  it("never gains by taking away, and taking everything away leaves nothing", () => {
    expect(takeFromFilter(null, pending)).toBeNull();
    expect(takeFromFilter(pending, pending)).toEqual({});
    expect(
      takeFromFilter({ orders: { status: ["a", "b"] }, items: {} }, { orders: { status: ["a"] } }),
    ).toEqual({
      orders: { status: ["b"] },
      items: {},
    });
    expect(takeFromFilter({ orders: {} }, { orders: {} })).toEqual({});
  });

  it("is read back from the address it was written into", () => {
    const value = fc.oneof(fc.string({ maxLength: 20 }), fc.integer(), fc.boolean(), fc.constant(null));
    const name = fc.oneof(
      fc.stringMatching(/^[a-z]{1,10}$/),
      fc.constantFrom("constructor", "prototype", "__proto__"),
    );
    const columns = fc.dictionary(name, fc.array(value, { minLength: 1, maxLength: 5 }), {
      maxKeys: 3,
      noNullPrototype: true,
    });
    const filter = fc.dictionary(name, columns, { minKeys: 1, maxKeys: 3, noNullPrototype: true });
    fc.assert(
      fc.property(filter, (given) => {
        const search = new URLSearchParams(filterToSearch(given));
        const read = filterFromSearch(new URLSearchParams(search.toString()));
        expect(JSON.stringify(read)).toBe(JSON.stringify(given)); // toEqual knows no property named __proto__
      }),
    );
  });

  it("passes a change when, and only when, the row passes as it is or as it was", () => {
    const value = fc.constantFrom<string | number | null>("a", "b", 1, 2, null);
    const row = fc.record({ x: value, y: value });
    const columns = fc.dictionary(
      fc.constantFrom("x", "y"),
      fc.array(value, { minLength: 1, maxLength: 3 }),
      {
        noNullPrototype: true,
      },
    );
    fc.assert(
      fc.property(row, row, columns, (before, after, wanted) => {
        const filter = { orders: wanted };
        const changed = Object.entries(before).filter(([name, was]) => was !== (after as Row)[name]);
        const update = change({ data: after, old: Object.fromEntries(changed) });
        const passes = [before, after].some((some) =>
          Object.entries(wanted).every(([name, values]) =>
            values.includes((some as Record<string, string | number | null>)[name] ?? null),
          ),
        );
        expect(changePasses(filter, update)).toBe(passes);
        expect(rowPasses(filter, "orders", after)).toBe(changePasses(filter, change({ data: after })));
      }),
    );
  });

  it("has short forms for orders", () => {
    expect(filterFromSearch(new URLSearchParams("orderIds=1,2&statuses=pending"))).toEqual({
      orders: { id: [1, 2], status: ["pending"] },
    });
    expect(filterFromSearch(new URLSearchParams("tables=orders,items"))).toEqual({ orders: {}, items: {} });
    expect(filterFromSearch(new URLSearchParams(""))).toBeNull();
    expect(toFilter({})).toBeNull();
  });

  it.each([
    ["orderIds=x", "orderIds"],
    ["orderIds=", "orderIds"],
    ["statuses=,", "statuses"],
    ["filter=[]", "filter"],
    ["filter=7", "filter"],
    ['filter={"orders":{"status":"pending"}}', "filter"],
    ['filter={"orders":{"status":[]}}', "filter"],
    ['filter={"orders":{"status":[{}]}}', "filter"],
    ["filter={", "filter"],
  ])("that reads %s is refused, naming %s", (search, field) => {
    expect(() => filterFromSearch(new URLSearchParams(search))).toThrow(expect.objectContaining({ field }));
  });
});
