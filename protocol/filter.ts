/**
 * What a client wants to see: per table, per column a list of values. Columns of a table must all match, values of a
 * column are alternatives, a table with no columns passes whole, a table that is not named does not pass.
 * `null` as a whole stands for everything.
 */
import * as v from "valibot";
import type { Change, Row } from "./change.ts";
import { scalarText } from "./exact-json.ts";

export const MAX_FILTER_VALUES = 1000;

const Scalar = v.union([v.pipe(v.string(), v.maxLength(256)), v.number(), v.boolean(), v.null()]);
const ColumnFilter = v.record(
  v.pipe(v.string(), v.minLength(1), v.maxLength(63)),
  v.pipe(v.array(Scalar), v.minLength(1), v.maxLength(MAX_FILTER_VALUES)),
);

/** `v.record` alone would take an array for an empty record. */
const PlainObject = v.custom<Record<string, unknown>>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "has to be an object",
);

export const Filter = v.pipe(
  PlainObject,
  v.record(v.pipe(v.string(), v.minLength(1), v.maxLength(260)), ColumnFilter),
  v.check(
    (filter) => countValues(filter) <= MAX_FILTER_VALUES,
    `a filter may hold ${MAX_FILTER_VALUES} values in all`,
  ),
);
export type Filter = v.InferOutput<typeof Filter>;
export type FilterValue = v.InferOutput<typeof Scalar>;

const OrderId = v.pipe(v.number(), v.safeInteger());

/** A filter as clients write it: `orderIds` and `statuses` are short for columns of `orders`; `tables` is a list of names or a whole filter. */
export const FilterInput = v.strictObject({
  orderIds: v.optional(v.pipe(v.array(OrderId), v.minLength(1), v.maxLength(MAX_FILTER_VALUES))),
  statuses: v.optional(
    v.pipe(v.array(v.pipe(v.string(), v.maxLength(256))), v.minLength(1), v.maxLength(MAX_FILTER_VALUES)),
  ),
  tables: v.optional(v.union([v.pipe(v.array(v.pipe(v.string(), v.minLength(1))), v.minLength(1)), Filter])),
});
export type FilterInput = v.InferOutput<typeof FilterInput>;

/** The filter that an input means; null (everything) when it names nothing. */
export function toFilter(input: FilterInput): Filter | null {
  const { orderIds, statuses, tables } = input;
  const filter: Filter = {};
  if (Array.isArray(tables)) for (const table of tables) filter[table] = {};
  else Object.assign(filter, structuredCloneFilter(tables ?? {}));
  if (orderIds) filter.orders = { ...filter.orders, id: [...orderIds] };
  if (statuses) filter.orders = { ...filter.orders, status: [...statuses] };
  return Object.keys(filter).length > 0 || tables !== undefined ? filter : null;
}

/** Thrown for a filter in an address that cannot be read; `field` names the parameter. */
export class FilterError extends Error {
  readonly code = "bad_filter";
  readonly field: string;
  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}

/** What is needed of `URLSearchParams`, which every runtime has. */
interface SearchParams {
  get(name: string): string | null;
  getAll(name: string): string[];
  has(name: string): boolean;
}

/**
 * Reads `?orderIds=1,2&statuses=pending,shipped&tables=orders` or `?filter=<json of FilterInput.tables>` from an address.
 *
 * @throws {FilterError} naming the parameter that is wrong and what it should look like.
 */
export function filterFromSearch(params: SearchParams): Filter | null {
  const input: FilterInput = {};
  const ids = list(params, "orderIds");
  if (ids) {
    input.orderIds = ids.map((text) => {
      if (!/^[0-9]{1,15}$/.test(text))
        throw new FilterError("orderIds", "orderIds is a list of whole numbers: orderIds=1,2,3");
      return Number(text);
    });
  }
  const statuses = list(params, "statuses");
  if (statuses) input.statuses = statuses;
  const tables = list(params, "tables");
  if (tables) input.tables = tables;
  const json = params.get("filter");
  if (json !== null) input.tables = { ...asFilter(tables), ...parseFilterJson(json) };
  const result = v.safeParse(FilterInput, input);
  if (!result.success) {
    const [issue] = result.issues;
    throw new FilterError(v.getDotPath(issue)?.split(".")[0] ?? "filter", issue.message);
  }
  return toFilter(result.output);
}

/** Writes a filter as the query parameters that `filterFromSearch` reads. */
export function filterToSearch(filter: Filter | null): { filter?: string } {
  return filter === null ? {} : { filter: JSON.stringify(filter) };
}

/** Adds what `more` names to a filter. Everything (null) narrows to `more`: the first wish of a client that had none. */
export function addToFilter(filter: Filter | null, more: Filter): Filter {
  const result = structuredCloneFilter(filter ?? {});
  for (const [table, columns] of Object.entries(more)) {
    const present = own(result, table);
    if (!present || Object.keys(columns).length === 0) result[table] = structuredCloneColumns(columns);
    else if (Object.keys(present).length > 0) {
      for (const [column, values] of Object.entries(columns)) {
        present[column] = [...new Set([...(own(present, column) ?? []), ...values])];
      }
    }
  }
  return result;
}

/** Takes what `less` names out of a filter; a table whose last value goes is no longer watched. Everything (null) stays everything. */
export function takeFromFilter(filter: Filter | null, less: Filter): Filter | null {
  if (filter === null) return null;
  const result = structuredCloneFilter(filter);
  for (const [table, columns] of Object.entries(less)) {
    const present = own(result, table);
    if (!present) continue;
    if (Object.keys(columns).length === 0) delete result[table];
    for (const [column, values] of Object.entries(columns)) {
      const kept = (own(present, column) ?? []).filter((value) => !values.includes(value));
      if (kept.length > 0) present[column] = kept;
      else delete result[table];
    }
  }
  return result;
}

/** Whether a row as it is now passes: what a live collection asks to know that a row has left it. */
export function rowPasses(filter: Filter | null, table: string, row: Row): boolean {
  if (filter === null) return true;
  const columns = own(filter, table);
  return columns !== undefined && matches(columns, row);
}

/**
 * Whether a client with this filter is told of the change: its new or its old values match, so that a row that leaves
 * the filter is seen leaving. What cannot be told from the change (TRUNCATE, a row too large to send) passes.
 */
export function changePasses(
  filter: Filter | null,
  change: Pick<Change, "table" | "data" | "old" | "key">,
): boolean {
  if (filter === null) return true;
  const columns = own(filter, change.table);
  if (columns === undefined) return false;
  if (change.data === null) return change.key === null || matches(columns, change.key, true);
  return (
    matches(columns, change.data) ||
    (change.old !== null && matches(columns, { ...change.data, ...change.old }))
  );
}

function matches(columns: Filter[string], row: Row, unknownPasses = false): boolean {
  return Object.entries(columns).every(([column, values]) => {
    if (!Object.hasOwn(row, column)) return unknownPasses;
    const text = scalarText(row[column]);
    return values.some((value) => scalarText(value) === text);
  });
}

function list(params: SearchParams, name: string): string[] | null {
  const texts = params
    .getAll(name)
    .flatMap((text) => text.split(","))
    .map((text) => text.trim())
    .filter((text) => text !== "");
  if (texts.length === 0 && params.has(name))
    throw new FilterError(name, `${name} is empty: leave it out or give it values`);
  return texts.length > 0 ? texts : null;
}

function asFilter(tables: readonly string[] | null): Filter {
  return Object.fromEntries((tables ?? []).map((table) => [table, {}]));
}

function parseFilterJson(text: string): Filter {
  const shape = 'filter is JSON: {"orders":{"status":["pending"]}}';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new FilterError("filter", shape); // the syntax error itself only repeats the text
  }
  const result = v.safeParse(Filter, value);
  if (!result.success) throw new FilterError("filter", `${shape}; ${result.issues[0].message}`);
  return result.output;
}

function countValues(filter: Record<string, Record<string, readonly unknown[]>>): number {
  return Object.values(filter).reduce(
    (sum, columns) => sum + Object.values(columns).reduce((count, values) => count + values.length, 0),
    0,
  );
}

function structuredCloneFilter(filter: Filter): Filter {
  return Object.fromEntries(
    Object.entries(filter).map(([table, columns]) => [table, structuredCloneColumns(columns)]),
  );
}

function structuredCloneColumns(columns: Filter[string]): Filter[string] {
  return Object.fromEntries(Object.entries(columns).map(([column, values]) => [column, [...values]]));
}

/** A property of the object itself, so that a table called `constructor` finds nothing by accident. */
function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
