/**
 * A token's pin, as the orders API obeys it: rows outside do not exist, and no write may make one or move one out. In SQL
 * it is part of each statement, so that no moment lies between the check and the write.
 */
import { scalarText } from "../../protocol/exact-json.ts";
import { rowPasses, type Filter } from "../../protocol/filter.ts";
import { Problem } from "../http/problem.ts";
import { MAX_ID } from "./schemas.ts";

const TEXTS = ["customer_name", "product_name", "status"] as const;

/** Four parameters of a statement: the allowed ids and texts, each null for any. */
export type PinParams = readonly [
  ids: readonly number[] | null,
  customers: readonly string[] | null,
  products: readonly string[] | null,
  statuses: readonly string[] | null,
];

export const NO_PIN: PinParams = [null, null, null, null];

/** The condition for rows `o`, its parameters being `$first` to `$first + 3`. */
export function pinCondition(first: number): string {
  const texts = TEXTS.map((column, index) => {
    const param = `$${first + 1 + index}::text[]`;
    return `(${param} is null or o.${column} = any (${param}))`;
  });
  return `(($${first}::int[] is null or o.id = any ($${first}::int[])) and ${texts.join(" and ")})`;
}

/**
 * @throws {Problem} `forbidden` when the pin leaves orders out altogether, or pins them by a column that cannot be: what is
 *   not understood is not let through.
 */
export function pinParams(pin: Filter | null): PinParams {
  if (pin === null) return NO_PIN;
  const columns = ordersIn(pin);
  const known: readonly string[] = ["id", ...TEXTS];
  const unknown = Object.keys(columns).find((column) => !known.includes(column));
  if (unknown !== undefined) {
    throw new Problem(
      "forbidden",
      `The token pins orders by ${unknown}, by which the API cannot select: ${known.join(", ")}.`,
    );
  }
  const values = (column: string): string[] | null =>
    columns[column]?.map((value) => scalarText(value)).filter((text) => text !== null) ?? null;
  const ids = values("id")
    ?.map(Number)
    .filter((id) => Number.isInteger(id) && id > 0 && id <= MAX_ID);
  return [ids ?? null, values("customer_name"), values("product_name"), values("status")];
}

/**
 * What a write would make of a row: each pinned column that is named has to stay inside, and for a new row all are.
 *
 * @throws {Problem} `outside_pin`.
 */
export function requireInside(
  pin: Filter | null,
  row: Readonly<Record<string, unknown>>,
  isNew: boolean,
): void {
  if (pin === null) return;
  const pinned = ordersIn(pin);
  const columns = Object.entries(pinned).filter(([column]) => isNew || Object.hasOwn(row, column));
  const outside = columns.find(
    ([column, values]) => !rowPasses({ orders: { [column]: values } }, "orders", row),
  );
  if (outside === undefined) return;
  const [field] = outside;
  throw new Problem("outside_pin", `The token may only touch orders whose ${field} is one of its own.`, {
    issues: [{ field, message: "is outside of what the token may touch" }],
  });
}

function ordersIn(pin: Filter): Filter[string] {
  const columns = Object.hasOwn(pin, "orders") ? pin.orders : undefined;
  if (columns === undefined)
    throw new Problem("forbidden", "The token says nothing of orders, so it may not see any.");
  return columns;
}
