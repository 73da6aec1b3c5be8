import { expect, test } from "vitest";
import { wholeNumber } from "./settings.ts";

test.each([
  ["0", {}, 0],
  ["4000", {}, 4000],
  ["999999", {}, 999_999],
  ["1000000", {}, undefined],
  ["1000000", { most: Number.MAX_SAFE_INTEGER }, 1_000_000],
  ["0", { least: 1 }, undefined],
  ["", {}, undefined],
  ["-1", {}, undefined],
  ["1.5", {}, undefined],
  ["ten", {}, undefined],
  ["9007199254740993", { most: Number.MAX_SAFE_INTEGER }, undefined],
  [undefined, {}, undefined],
])("%o within %o is %o", (text, bounds, number) => {
  expect(wholeNumber(text, bounds)).toBe(number);
});
