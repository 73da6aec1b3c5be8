import { expect, it } from "vitest";
import { failed, messageOf, ok, runChecks, skipped, type Check } from "./check.ts";

const check = (name: string, run: Check<null>["run"], needs: string[] = []): Check<null> => ({
  name,
  needs,
  fix: `mend ${name}`,
  run,
});

it("runs one after the other, and skips what needs something that went wrong, by its name", async () => {
  const told: string[] = [];
  const results = await runChecks(
    [
      check("a", () => ok("fine")),
      check("b", () => failed("broken", "mend it")),
      check("c", () => ok("not reached"), ["a", "b"]),
      check("d", () => ok("not reached"), ["c"]),
      check("e", () => skipped("not for us")),
      check("f", () => ok("fine"), ["a"]),
    ],
    null,
    ({ name }) => void told.push(name),
  );
  expect(results.map(({ name, status, detail }) => [name, status, detail])).toEqual([
    ["a", "ok", "fine"],
    ["b", "failed", "broken"],
    ["c", "skipped", "needs b, see above"],
    ["d", "skipped", "needs c, see above"],
    ["e", "skipped", "not for us"],
    ["f", "ok", "fine"],
  ]);
  expect(told).toEqual(["a", "b", "c", "d", "e", "f"]);
});

it("takes what a check throws for what is wrong, with the fix that the check knows", async () => {
  const [result] = await runChecks([check("a", () => Promise.reject(new Error("no route")))], null);
  expect(result).toMatchObject({ status: "failed", detail: "no route", fix: "mend a" });
});

it("finds the words of an error that has none of its own", () => {
  const refused = Object.assign(new AggregateError([], ""), { code: "ECONNREFUSED" });
  expect(messageOf(refused)).toBe("ECONNREFUSED");
  expect(messageOf(new TypeError("fetch failed", { cause: new Error("no such host") }))).toBe("no such host");
});
