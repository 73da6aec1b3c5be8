import { expect, test } from "vitest";
import { Declined, Interrupted, UsageError } from "./exit.ts";
import type { Paint } from "./paint.ts";
import { ApiProblem, describeTrouble, Unreachable } from "./problem.ts";

const plain: Paint = (_colour, text) => text;

test("a refusal names field, option and fix", () => {
  const issues = [{ field: "amount", message: "may not be negative" }];
  const problem = new ApiProblem(401, "unauthorized", "A token is needed.", issues);
  const { lines, exitCode } = describeTrouble(problem, plain) ?? {};
  expect(exitCode).toBe(1);
  expect(lines?.slice(0, 2)).toEqual([
    "Error: A token is needed. (401 unauthorized)",
    "  amount (--amount): may not be negative",
  ]);
  expect(lines?.[2]).toContain("--token");
});

test.each([
  [new UsageError("?"), 2],
  [new Unreachable("?"), 3],
  [new ApiProblem(503, "database_busy", "?"), 3],
  [new ApiProblem(429, "too_many_requests", "?"), 3],
  [new ApiProblem(412, "precondition_failed", "?"), 1],
  [new Declined("?"), 1],
  [new Interrupted(), 130],
])("%s ends with %i", (error, code) => {
  expect(describeTrouble(error, plain)?.exitCode).toBe(code);
});

test("a bug is none of the expected ends, and what a server says cannot command the terminal", () => {
  expect(describeTrouble(new TypeError("oops"), plain)).toBeNull();
  const evil = new ApiProblem(400, "\u001B[2J", "\u001B[2J", [{ field: "\u001B[2J", message: "\u202E" }]);
  expect(describeTrouble(evil, plain)?.lines.join("")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});
