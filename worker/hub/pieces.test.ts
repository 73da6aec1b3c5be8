import { expect, test } from "vitest";
import { SEPARATOR, type Batch } from "../change-log/history.ts";
import { begun, tookIn, UNTRIED } from "./pace.ts";
import { Pieces } from "./pieces.ts";
import { EVERYTHING, viewOf } from "./selection.ts";

function change(seq: number): string {
  const data = { id: seq, even: seq % 2 === 0 };
  return JSON.stringify({
    seq,
    xid: "7",
    table: "t",
    operation: "INSERT",
    key: { id: seq },
    data,
    old: null,
  });
}

function batch(from: number, to: number): Batch {
  const changes = Array.from({ length: to - from }, (_, index) => change(from + index + 1));
  return { epoch: "e", from, to, text: changes.join(SEPARATOR) };
}

const EVEN = viewOf(null, { t: { even: [true] } });

test("a batch is cut once for all who are at one place, see the same and take as much at a time", () => {
  const pieces = new Pieces(1_000_000);
  const first = pieces.of(batch(0, 100), EVERYTHING, 1000);
  expect(first.length).toBeGreaterThan(5);
  expect(pieces.of(batch(0, 100), EVERYTHING, 1000)).toBe(first);
  expect(pieces.of(batch(0, 100), EVEN, 1000)).not.toBe(first);
  expect(pieces.of(batch(10, 100), EVERYTHING, 1000)).not.toBe(first);
  expect(pieces.of(batch(0, 100), EVERYTHING, 2000)).not.toBe(first);
});

test("the pieces hold what the view lets through, in order, and end with the batch", () => {
  const pieces = new Pieces(1_000_000).of(batch(0, 101), EVEN, 1000);
  expect(pieces.map(({ text }) => text).join(SEPARATOR)).toBe(
    Array.from({ length: 50 }, (_, index) => change(2 * index + 2)).join(SEPARATOR),
  );
  expect(pieces.reduce((sum, { count }) => sum + count, 0)).toBe(50);
  expect(pieces.every(({ text }) => text.length <= 1000)).toBe(true);
  expect(pieces.at(-1)?.last).toBe(101);
  expect(new Pieces(1000).of(batch(0, 1), EVEN, 1000)).toEqual([]);
});

test("what is kept for others is bounded", () => {
  const size = batch(0, 100).text.length;
  const pieces = new Pieces(2.5 * size);
  const [oldest] = [0, 1, 2].map((from) => pieces.of(batch(from, from + 100), EVERYTHING, 1000));
  expect(pieces.of(batch(2, 102), EVERYTHING, 1000)).toBe(pieces.of(batch(2, 102), EVERYTHING, 1000));
  expect(pieces.of(batch(0, 100), EVERYTHING, 1000)).not.toBe(oldest);
});

test.each([
  ["1 kB/s: as little as ever", 65_536, 65_000, 8192],
  ["1 MB/s: a tenth of a second's worth", 65_536, 65, 65_536],
  ["a LAN: half a window", 65_536, 1, 131_072],
  ["a clock that stands still: half a window", 65_536, 0, 131_072],
  ["one small change after a second", 300, 1000, 8192],
])("a client that takes in at %s", (_, chars, ms, pieceChars) => {
  expect(tookIn(begun(UNTRIED, 5000), chars, 5000 + ms).pieceChars).toBe(pieceChars);
});
