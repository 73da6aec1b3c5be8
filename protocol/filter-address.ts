/** Filters in addresses: the query parameters of `/ws`, `/sse` and `/api/changes`. */
import * as v from "valibot";
import { toFilter } from "./filter.ts";
import { Filter, FilterInput } from "./filter-schema.ts";

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
