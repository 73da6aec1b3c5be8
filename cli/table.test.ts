import fc from "fast-check";
import { expect, test } from "vitest";
import type { Paint } from "./paint.ts";
import { table } from "./table.ts";
import type { Column } from "./table.ts";
import { widthOf } from "./text.ts";

interface Row {
  readonly id: string;
  readonly name: string;
  readonly product: string;
  readonly status: string;
}
const plain: Paint = (_colour, text) => text;
const columns: readonly Column<Row>[] = [
  { title: "id", value: ({ id }) => id, align: "right" },
  { title: "name", value: ({ name }) => name, min: 8 },
  { title: "product", value: ({ product }) => product, min: 8, dispensable: 1 },
  { title: "status", value: ({ status }) => status },
];
const row: Row = { id: "7", name: "Ada Lovelace", product: "Desk lamp, black", status: "pending" };

test("where there is room, everything is whole", () => {
  expect(table([row], columns, Infinity, plain)).toEqual([
    "id  name          product           status",
    " 7  Ada Lovelace  Desk lamp, black  pending",
  ]);
});

test("where there is less, the widest is cut first, then a column goes", () => {
  expect(table([row], columns, 36, plain)[1]).toBe(" 7  Ada Lovel…  Desk lamp,…  pending");
  expect(table([row], columns, 28, plain)).toEqual(["id  name          status", " 7  Ada Lovelace  pending"]);
});

test("no line is wider than the terminal, whatever the rows say", () => {
  const text = fc.string({
    unit: fc.oneof(fc.constantFrom("山", "a", " ", "\u0301", "\u001B"), fc.string({ maxLength: 1 })),
  });
  const rows = fc.array(
    fc.record({
      id: fc.nat({ max: 99_999 }).map(String),
      name: text,
      product: text,
      status: fc.constant("pending"),
    }),
  );
  fc.assert(
    fc.property(rows, fc.integer({ min: 30, max: 120 }), (rows, width) => {
      for (const line of table(rows, columns, width, plain)) expect(widthOf(line)).toBeLessThanOrEqual(width);
    }),
  );
});
