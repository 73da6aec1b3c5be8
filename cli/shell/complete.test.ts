import { expect, test } from "vitest";
import { complete } from "./complete.ts";
import type { Shape } from "./complete.ts";

const shapes: Shape[] = [
  {
    name: "update",
    places: ["id", "status"],
    isVariadic: false,
    options: new Map([
      ["--status", { kind: "status" as const }],
      ["--customer", { kind: null }],
      ["--json", undefined],
    ]),
  },
  { name: "bulk", places: ["status", "id"], isVariadic: true, options: new Map() },
  { name: "orders", places: ["status"], isVariadic: true, options: new Map() },
];

test.each([
  ["u", ["update "]],
  ["", ["update", "bulk", "orders"]],
  ["update ", ["12", "7"]],
  ["update 1", ["12 "]],
  ["update 12 sh", ["shipped "]],
  ["update 12 --s", ["--status "]],
  ["update 12 --status pend", ["pending "]],
  ["update 12 --status pending --", ["--customer", "--json"]],
  ["update --json --customer Ada 1", ["12 "]],
  ["update 12 --customer s", []],
  ["bulk shipped 12 ", ["7 "]],
  ["orders pending,sh", ["shipped "]],
  ["nothing ", []],
])("%j is offered %j", (line, hits) => {
  expect(complete(line, shapes, [12, 7])[0]).toEqual(hits);
});

test("what is replaced is the part being typed", () => {
  expect(complete("orders pending,sh", shapes, [])[1]).toBe("sh");
  expect(complete("update 12 --status pend", shapes, [])[1]).toBe("pend");
});
