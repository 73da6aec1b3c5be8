import fc from "fast-check";
import { expect, test } from "vitest";
import { UsageError } from "../exit.ts";
import { words, wordsSoFar } from "./words.ts";

test.each([
  ["orders  --status pending", ["orders", "--status", "pending"]],
  [`create --customer "Ada Lovelace"`, ["create", "--customer", "Ada Lovelace"]],
  [`a 'b "c' d\\ e ""`, ["a", 'b "c', "d e", ""]],
  [`--customer=Ada' Love'lace`, ["--customer=Ada Lovelace"]],
  ["  ", []],
])("%j is %j", (line, expected) => {
  expect(words(line)).toEqual(expected);
});

test("a quote that is not closed is refused, but may still be typed", () => {
  expect(() => words(`create "Ada`)).toThrow(UsageError);
  expect(wordsSoFar(`create "Ada L`)).toEqual(["create", "Ada L"]);
  expect(wordsSoFar("create ")).toEqual(["create", ""]);
});

test("whatever stands in quotes comes out as it is", () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (list) => {
      const line = list.map((word) => `"${word.replaceAll(/["\\]/g, "\\$&")}"`).join(" ");
      expect(words(line)).toEqual(list);
    }),
  );
});
