import fc from "fast-check";
import { expect, test } from "vitest";
import { fromLean, type LeanChange } from "../../protocol/lean.ts";
import type { Change } from "../../protocol/change.ts";
import { SEPARATOR } from "../change-log/history.ts";
import { lean } from "./lean.ts";

function update(seq: number, more: Partial<Change> = {}): Change {
  const data = { n: seq, id: seq, note: "a lamp" };
  const common = {
    xid: "812",
    table: "orders",
    operation: "UPDATE",
    timestamp: "2026-11-21T12:00:00.000001Z",
  } as const;
  const { xid, table, operation, timestamp } = common;
  return { seq, xid, table, operation, key: { id: seq }, data, old: { n: 0 }, timestamp, ...more };
}

function leanOf(changes: readonly Change[]): LeanChange[] {
  const text = lean(changes.map((change) => JSON.stringify(change)).join(SEPARATOR));
  return JSON.parse(`[${text}]`) as LeanChange[];
}

test("a statement's changes say once what they have in common", () => {
  const changes = [update(7), update(8), update(9)];
  expect(leanOf(changes)).toEqual([
    update(7),
    { data: { n: 8, id: 8, note: "a lamp" }, old: { n: 0 } },
    { data: { n: 9, id: 9, note: "a lamp" }, old: { n: 0 } },
  ]);
});

test("what differs from the change before is said", () => {
  const other = "2026-11-21T12:00:00.000002Z";
  const [, ...rest] = leanOf([
    update(1),
    update(3),
    update(4, { xid: "813", timestamp: other }),
    update(5, { xid: "813", timestamp: other, operation: "INSERT", old: null }),
    update(6, { xid: "813", timestamp: other, operation: "INSERT", old: null, table: "items" }),
  ]);
  expect(
    rest.map((change) => Object.keys(change).filter((name) => name !== "data" && name !== "old")),
  ).toEqual([["seq"], ["xid", "timestamp"], ["operation"], ["table", "key"]]);
});

const word = fc.oneof(
  fc.constantFrom("id", "data", "old", "key", "a,b", '"', "{", "}\\", "timestamp"),
  fc.string(),
);
const scalar = fc.oneof(
  fc.integer(),
  word,
  fc.boolean(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const value = fc.oneof(scalar, fc.constant(null), fc.array(scalar), fc.dictionary(word, scalar));
const key = fc.oneof(
  { weight: 4, arbitrary: fc.record({ id: fc.integer() }) },
  fc.record({ data: scalar, id: fc.integer() }),
  fc.dictionary(word, value, { minKeys: 1, noNullPrototype: true }),
);
const change = fc
  .record({
    gap: fc.constantFrom(1, 1, 1, 5),
    xid: fc.constantFrom("7", "7", "8"),
    table: fc.constantFrom("orders", "orders", 'sales."Line, {items}"'),
    operation: fc.constantFrom("INSERT", "UPDATE", "UPDATE", "DELETE"),
    key,
    more: fc.dictionary(word, value, { noNullPrototype: true }),
    old: fc.option(fc.dictionary(word, value, { noNullPrototype: true })),
    timestamp: fc.constantFrom("2026-11-21T12:00:00.000001Z", "2026-11-21T12:00:00.1Z"),
    kind: fc.constantFrom("row", "row", "row", "row", "truncated", "TRUNCATE", "folded", "strange"),
  })
  .map(({ gap, kind, more, ...rest }) => {
    const { xid, table, operation, old, timestamp } = rest;
    const row = { ...more, ...rest.key };
    const whole = { xid, table, operation, key: rest.key, data: row, old, timestamp };
    if (kind === "truncated") return { gap, ...whole, data: null, old: null, truncated: true };
    if (kind === "TRUNCATE") return { gap, ...whole, operation: kind, key: null, data: null, old: null };
    if (kind === "folded") return { gap, ...whole, folded: 3 };
    if (kind === "strange") return { gap, ...whole, key: { id: -1 } }; // a key that its row does not have
    return { gap, ...whole };
  });

test("whatever it is, what a client makes of it is what was told, to the order of the members", () => {
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (some) => {
      let seq = 41;
      const changes = some.map(({ gap, ...rest }) => ({ seq: (seq += gap), ...rest }) as Change);
      expect(JSON.stringify(fromLean(leanOf(changes)))).toBe(JSON.stringify(changes));
    }),
    { numRuns: 3000 },
  );
});

test("whole changes, as a server tells them that does not know of lean frames, stay as they are", () => {
  const changes = [
    update(1),
    update(2, { operation: "DELETE", old: null }),
    update(3, { truncated: true, data: null }),
  ];
  expect(fromLean(changes)).toEqual(changes);
});

test("numbers keep every digit", () => {
  const text = JSON.stringify(update(1)).replace('"n":1', '"n":12345678901234567890.10');
  expect(lean([text, text].join(SEPARATOR)).match(/12345678901234567890\.10/g)).toHaveLength(2);
});
