/** The shape of filters: as they are applied, and as clients write them. */
import * as v from "valibot";
import { record } from "./record.ts";

export const MAX_FILTER_VALUES = 1000;

const Scalar = v.union([v.pipe(v.string(), v.maxLength(256)), v.number(), v.boolean(), v.null()]);
const ColumnFilter = record(
  v.pipe(v.string(), v.minLength(1), v.maxLength(63)),
  v.pipe(v.array(Scalar), v.minLength(1), v.maxLength(MAX_FILTER_VALUES)),
);

/** As SQL would name it: two identifiers of 63 bytes, quoted. */
const TableName = v.pipe(v.string(), v.minLength(1), v.maxLength(260));

export const Filter = v.pipe(
  record(TableName, ColumnFilter),
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
  tables: v.optional(
    v.union([v.pipe(v.array(TableName), v.minLength(1), v.maxLength(MAX_FILTER_VALUES)), Filter]),
  ),
});
export type FilterInput = v.InferOutput<typeof FilterInput>;

function countValues(filter: Record<string, Record<string, readonly unknown[]>>): number {
  return Object.values(filter).reduce(
    (sum, columns) => sum + Object.values(columns).reduce((count, values) => count + values.length, 0),
    0,
  );
}
