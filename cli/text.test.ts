import fc from "fast-check";
import { expect, test } from "vitest";
import { cut, jsonLine, pad, printable, widthOf } from "./text.ts";

const COMMANDS = /(?![\u200C\u200D])[\p{Cc}\p{Cf}\p{Cs}]/u;
const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom("\u001B", "\u202E", "山", "e", "\u0301") }),
);

test("nothing that commands a terminal is left in a printable text", () => {
  expect(printable("a\u001B[2J\u009B\u202E\nb")).toBe("a\\u{1b}[2J\\u{9b}\\u{202e}\\u{a}b");
  fc.assert(fc.property(anyText, (text) => !COMMANDS.test(printable(text))));
});

test("a line of JSON is safe to print, and is the same value", () => {
  fc.assert(
    fc.property(fc.dictionary(anyText, anyText), (value) => {
      const line = jsonLine(value);
      expect(line).not.toMatch(COMMANDS);
      expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test("a text is cut to a width in columns: wide characters take two", () => {
  expect(cut("Ada Lovelace", 12)).toBe("Ada Lovelace");
  expect(cut("Ada Lovelace", 8)).toBe("Ada Lov…");
  expect(cut("山田太郎", 6)).toBe("山田…");
  expect(pad("山田", 6)).toBe("山田  ");
  expect(pad("7", 3, "right")).toBe("  7");
});

test("no text is wider than what it is cut to, nor without bounds", () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 1, max: 30 }), (text, width) => {
      expect(widthOf(cut(printable(text), width))).toBeLessThanOrEqual(width);
    }),
  );
  expect(cut(`e${"\u0301".repeat(10_000)}`, 5).length).toBeLessThan(30);
});
