import { expect, test } from "vitest";
import { isAway } from "./away.ts";

const failed = (code: string): Error => Object.assign(new Error("failed"), { code });

test.each(["ECONNREFUSED", "57P03"])(
  "%s says that Postgres is not there yet, as itself and as a cause",
  (code) => {
    expect(isAway(failed(code))).toBe(true);
    expect(isAway(new Error("the connection is lost", { cause: failed(code) }))).toBe(true);
  },
);

test.each(["28P01", "53300", "ETIMEDOUT", "57P01"])("%s does not", (code) => {
  expect(isAway(failed(code))).toBe(false);
});

test("what is no error does not", () => {
  expect(isAway("ECONNREFUSED")).toBe(false);
});
