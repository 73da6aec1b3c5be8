/** What the orders API takes. The types, the checks and the OpenAPI description all come from here. */
import * as v from "valibot";
import { ORDER_STATUSES } from "../../protocol/order-status.ts";
import { OrderStatus } from "../../protocol/orders.ts";

export const MAX_NAME_CHARACTERS = 255;
export const MAX_AMOUNT = 99_999_999.99;
export const MAX_BULK_IDS = 1000;
export const MAX_LIMIT = 5000;
export const DEFAULT_LIMIT = 50;
/** Ids are int4. */
export const MAX_ID = 2_147_483_647;
/** `before` this one are all. */
export const ABOVE_ALL_IDS = MAX_ID + 1;

/** JSON can write two things that a Postgres text cannot hold: NUL and half of a surrogate pair. */
const storable = v.check<string, string>(
  (text) => !text.includes("\0") && text.isWellFormed(),
  "may not contain NUL or broken Unicode",
);

/** Counted in code points, as Postgres and JSON Schema count. */
export const withinNameLength = v.check<string, string>(
  (text) => text.length <= MAX_NAME_CHARACTERS || Array.from(text).length <= MAX_NAME_CHARACTERS,
  `is longer than ${MAX_NAME_CHARACTERS} characters`,
);

const Name = v.pipe(
  v.string("has to be a text"),
  v.regex(/\S/, "may not be empty"),
  withinNameLength,
  storable,
);

/** numeric(10,2). */
const Amount = v.nullable(
  v.pipe(
    v.number("has to be a number or null"),
    v.minValue(0, "may not be negative"),
    v.maxValue(MAX_AMOUNT, `may not be more than ${MAX_AMOUNT}`),
    v.check((amount) => Number(amount.toFixed(2)) === amount, "may have two decimals at most"),
  ),
);

const Id = v.pipe(
  v.number("has to be a number"),
  v.integer("has to be a whole number"),
  v.minValue(1, "has to be at least 1"),
  v.maxValue(MAX_ID, `has to be at most ${MAX_ID}`),
);

/** The message of a strict object: it is asked about fields that are missing and about fields it does not know. */
function fieldMessage(fields: Readonly<Record<string, unknown>>) {
  const names = Object.keys(fields).join(", ");
  return (issue: v.StrictObjectIssue) =>
    issue.expected === "never" ? `is not a field here; the fields are ${names}` : "is required";
}

const newOrder = {
  customer_name: Name,
  product_name: Name,
  status: v.optional(OrderStatus, "pending"),
  amount: v.optional(Amount, null),
};
export const NewOrder = v.strictObject(newOrder, fieldMessage(newOrder));
export type NewOrder = v.InferOutput<typeof NewOrder>;

const orderChange = {
  customer_name: v.optional(Name),
  product_name: v.optional(Name),
  status: v.optional(OrderStatus),
  amount: v.optional(Amount),
};
export const OrderChange = v.pipe(
  v.strictObject(orderChange, fieldMessage(orderChange)),
  v.check(
    (change) => Object.keys(change).length > 0,
    `at least one field is needed: ${Object.keys(orderChange).join(", ")}`,
  ),
);
export type OrderChange = v.InferOutput<typeof OrderChange>;

const bulkStatus = {
  order_ids: v.pipe(
    v.array(Id, "has to be a list of ids"),
    v.minLength(1, "may not be empty"),
    v.maxLength(MAX_BULK_IDS, `may hold ${MAX_BULK_IDS} ids at most`),
    v.check((ids) => new Set(ids).size === ids.length, "names an id twice"),
  ),
  status: OrderStatus,
};
export const BulkStatus = v.strictObject(bulkStatus, fieldMessage(bulkStatus));
export type BulkStatus = v.InferOutput<typeof BulkStatus>;

const idText = `has to be a whole number from 1 to ${MAX_ID}`;
export const OrderParams = v.object({
  id: v.pipe(
    v.string(),
    v.regex(/^[1-9][0-9]{0,9}$/, idText),
    v.transform(Number),
    v.maxValue(MAX_ID, idText),
  ),
});

function wholeNumber(min: number, max: number) {
  const message = `has to be a whole number from ${min} to ${max}`;
  return v.pipe(
    v.string("is given twice"),
    v.regex(/^[0-9]{1,10}$/, message),
    v.transform(Number),
    v.minValue(min, message),
    v.maxValue(max, message),
  );
}

const listQuery = v.object({
  status: v.optional(
    v.pipe(
      v.union([v.string(), v.array(v.string())]),
      v.description(`One or more of ${ORDER_STATUSES.join(", ")}, separated by commas`),
      v.transform((given) => [given].flat().flatMap((text) => text.split(","))),
      v.check(
        (statuses) => statuses.every((status) => v.is(OrderStatus, status)),
        `status is one or more of ${ORDER_STATUSES.join(", ")}, separated by commas`,
      ),
      v.transform((statuses) => statuses as OrderStatus[]),
    ),
  ),
  customer_name: v.optional(
    v.pipe(
      v.string("is given twice"),
      withinNameLength,
      storable,
      v.description("A part of the customer's name, in any case"),
    ),
  ),
  limit: v.optional(wholeNumber(1, MAX_LIMIT), String(DEFAULT_LIMIT)),
  offset: v.optional(wholeNumber(0, MAX_ID), "0"),
  before: v.optional(wholeNumber(1, ABOVE_ALL_IDS)),
  total: v.optional(
    v.pipe(
      v.picklist(["0", "1"], "has to be 0 or 1"),
      v.transform((text) => text === "1"),
    ),
    "1",
  ),
});
export const ListQuery = v.pipe(
  listQuery,
  v.forward(
    v.partialCheck(
      [["offset"], ["before"]],
      ({ offset, before }) => offset === 0 || before === undefined,
      "cannot come together with offset",
    ),
    ["before"],
  ),
);
export type ListQuery = v.InferOutput<typeof ListQuery>;

export const OrderStats = v.object({
  total_orders: v.number(),
  pending_orders: v.number(),
  processing_orders: v.number(),
  shipped_orders: v.number(),
  delivered_orders: v.number(),
  completed_orders: v.number(),
  cancelled_orders: v.number(),
  unique_customers: v.number(),
  last_updated: v.nullable(v.string()),
});
export type OrderStats = v.InferOutput<typeof OrderStats>;
