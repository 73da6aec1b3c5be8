/**
 * What a client wants to see: per table, per column a list of values. Columns of a table must all match, values of a
 * column are alternatives, a table with no columns passes whole, a table that is not named does not pass.
 * `null` as a whole stands for everything.
 */
import type { Change, Row } from "./change.ts";
import { scalarText } from "./exact-json.ts";
import type { Filter, FilterInput } from "./filter-schema.ts";

export type { Filter, FilterInput } from "./filter-schema.ts";

/** The filter that an input means; null (everything) when it names nothing. */
export function toFilter(input: FilterInput): Filter | null {
  const { orderIds, statuses, tables } = input;
  const named = Array.isArray(tables)
    ? tables.map((table) => [table, {}] as const)
    : Object.entries(tables ?? {});
  const filter = structuredCloneFilter(Object.fromEntries(named));
  if (orderIds) filter.orders = { ...filter.orders, id: [...orderIds] };
  if (statuses) filter.orders = { ...filter.orders, status: [...statuses] };
  return Object.keys(filter).length > 0 || tables !== undefined ? filter : null;
}

/** Writes a filter as the query parameters that `filterFromSearch` reads. */
export function filterToSearch(filter: Filter | null): { filter?: string } {
  return filter === null ? {} : { filter: JSON.stringify(filter) };
}

/** Adds what `more` names to a filter. Everything (null) narrows to `more`: the first wish of a client that had none. */
export function addToFilter(filter: Filter | null, more: Filter): Filter {
  const result = new Map(Object.entries(filter ?? {}));
  for (const [table, columns] of Object.entries(more)) {
    const present = result.get(table);
    const isWhole = Object.keys(columns).length === 0 || (present && Object.keys(present).length === 0);
    result.set(table, isWhole ? {} : addValues(present ?? {}, columns));
  }
  return structuredCloneFilter(Object.fromEntries(result));
}

function addValues(present: Filter[string], more: Filter[string]): Filter[string] {
  const result = new Map(Object.entries(present));
  for (const [column, values] of Object.entries(more)) {
    result.set(column, [...new Set([...(result.get(column) ?? []), ...values])]);
  }
  return Object.fromEntries(result);
}

/** Takes what `less` names out of a filter; a table whose last value goes is no longer watched. Everything (null) stays everything. */
export function takeFromFilter(filter: Filter | null, less: Filter): Filter | null {
  if (filter === null) return null;
  const result = new Map(Object.entries(filter));
  for (const [table, columns] of Object.entries(less)) {
    const present = result.get(table);
    const kept = present && takeValues(present, columns);
    if (kept) result.set(table, kept);
    else result.delete(table);
  }
  return structuredCloneFilter(Object.fromEntries(result));
}

/** What is left of a table's columns; null when that is nothing. */
function takeValues(present: Filter[string], less: Filter[string]): Filter[string] | null {
  if (Object.keys(less).length === 0) return null;
  const result = new Map(Object.entries(present));
  for (const [column, values] of Object.entries(less)) {
    const kept = (result.get(column) ?? []).filter((value) => !values.includes(value));
    if (kept.length === 0) return null;
    result.set(column, kept);
  }
  return Object.fromEntries(result);
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
