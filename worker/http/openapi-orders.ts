/** The orders in the OpenAPI description. Bodies are the schemas that check the requests. */
import { ORDER_STATUSES } from "../../protocol/order-status.ts";
import {
  ABOVE_ALL_IDS,
  DEFAULT_LIMIT,
  MAX_BULK_IDS,
  MAX_ID,
  MAX_LIMIT,
  MAX_NAME_CHARACTERS,
} from "../orders/schemas.ts";
import { ACCESS, answers, body, int, type Operation, type Parameter, ref, text } from "./openapi-parts.ts";

const id: Parameter = {
  name: "id",
  in: "path",
  required: true,
  description: "The order's id",
  schema: int(1, MAX_ID),
};
const ifMatch: Parameter = {
  name: "If-Match",
  in: "header",
  description: "The ETag that was read: 412 when the order changed meanwhile",
  schema: { type: "string" },
};
const idempotencyKey: Parameter = {
  name: "Idempotency-Key",
  in: "header",
  description:
    "Makes a retry safe for 24 hours: the same key with the same method, path and body is done once, and answered as the " +
    "first time (with Idempotency-Replayed: true); with anything else it is refused. What was refused may come again",
  schema: { ...text, minLength: 1, maxLength: 255 },
};
const list = { type: "array", items: ref("Order") };
const snapshot = {
  ...text,
  description: "pg_current_snapshot() of the statement that read: what the stream is joined with",
};
const written = { message: text, xid: { ...text, description: "The transaction, as the stream names it" } };

/** What may be wrong with a body, and what the database may say to it. */
const WRITING = [400, ...ACCESS, 409, 413, 415, 422, 503] as const;

const listOrders: Operation = {
  summary: "List orders, newest first; or by id, page after page",
  parameters: [
    {
      name: "status",
      in: "query",
      description: `One or more of ${ORDER_STATUSES.join(", ")}, separated by commas`,
      schema: text,
    },
    {
      name: "customer_name",
      in: "query",
      description: "A part of the name, in any case",
      schema: { ...text, maxLength: MAX_NAME_CHARACTERS },
    },
    {
      name: "limit",
      in: "query",
      description: "Rows at most",
      schema: int(1, MAX_LIMIT, { default: DEFAULT_LIMIT }),
    },
    { name: "offset", in: "query", description: "Rows to pass over", schema: int(0, MAX_ID, { default: 0 }) },
    {
      name: "before",
      in: "query",
      description:
        "By id instead of by time, the greatest first: rows whose id is less than this one, and next_before to go on " +
        `from. ${ABOVE_ALL_IDS} begins. Costs the same at any depth; without a total, and not together with offset`,
      schema: int(1, ABOVE_ALL_IDS),
    },
    {
      name: "total",
      in: "query",
      description: "0 saves counting all that match",
      schema: { enum: [0, 1], default: 1 },
    },
  ],
  responses: answers(
    "200",
    "The orders",
    {
      data: list,
      count: int(0, MAX_LIMIT),
      pagination: {
        type: "object",
        required: ["limit", "offset", "total", "has_more", "next_before"],
        properties: {
          limit: { type: "integer" },
          offset: { type: "integer" },
          total: {
            type: ["integer", "null"],
            description: "How many match in all; null with `before` or `total=0`",
          },
          has_more: { type: "boolean" },
          next_before: {
            type: ["integer", "null"],
            description: "`before` of the next page; null after the last, and in a list by time",
          },
        },
      },
      snapshot,
      timestamp: { ...text, format: "date-time", description: "The database's clock, in microseconds" },
    },
    [400, ...ACCESS, 503],
  ),
};

const createOrder: Operation = {
  summary: "Create an order",
  parameters: [idempotencyKey],
  requestBody: body("NewOrder"),
  responses: answers("201", "The order, with Location and ETag", { data: ref("Order"), ...written }, WRITING),
};

const updateOrder: Operation = {
  summary: "Change any of an order's fields",
  parameters: [id, ifMatch, idempotencyKey],
  requestBody: body("OrderChange"),
  responses: answers("200", "The order as it is now", { data: ref("Order"), ...written }, [
    ...WRITING,
    404,
    412,
  ]),
};

export const orderPaths = {
  "/api/orders": { get: listOrders, post: createOrder },
  "/api/orders/stats": {
    get: {
      summary: "Count orders",
      responses: answers("200", "The counts", { data: ref("OrderStats"), snapshot }, [...ACCESS, 503]),
    },
  },
  "/api/orders/bulk-status": {
    patch: {
      summary: "Set the status of many orders",
      parameters: [idempotencyKey],
      requestBody: body("BulkStatus"),
      responses: answers(
        "200",
        "The orders that were changed, and the ids that do not exist",
        {
          data: list,
          count: int(1, MAX_BULK_IDS),
          missing: { type: "array", items: int(1, MAX_ID) },
          ...written,
        },
        [...WRITING, 404],
      ),
    },
  },
  "/api/orders/{id}": {
    get: {
      summary: "Read an order",
      parameters: [
        id,
        { name: "If-None-Match", in: "header", description: "304 when it is still this ETag", schema: text },
      ],
      responses: {
        ...answers("200", "The order, with ETag", { data: ref("Order"), snapshot }, [
          400,
          ...ACCESS,
          404,
          503,
        ]),
        "304": { description: "Unchanged" },
      },
    },
    put: updateOrder,
    patch: updateOrder,
    delete: {
      summary: "Delete an order",
      parameters: [id, ifMatch, idempotencyKey],
      responses: answers("200", "The order as it was", { data: ref("Order"), ...written }, [
        400,
        ...ACCESS,
        404,
        409,
        412,
        422,
        503,
      ]),
    },
  },
} satisfies Record<string, Record<string, Operation>>;
