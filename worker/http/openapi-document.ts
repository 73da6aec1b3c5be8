/** The OpenAPI 3.1 description of the HTTP API. Shapes come from the schemas that check the requests; none is written twice. */
import { toJsonSchema } from "@valibot/to-json-schema";
import type * as v from "valibot";
import { Change } from "../../protocol/change.ts";
import { ListenerStatus } from "../../protocol/messages.ts";
import { Order, ORDER_STATUSES } from "../../protocol/orders.ts";
import {
  BulkStatus,
  DEFAULT_LIMIT,
  MAX_ID,
  MAX_LIMIT,
  MAX_NAME_CHARACTERS,
  NewOrder,
  OrderChange,
  OrderStats,
  withinNameLength,
} from "../orders/schemas.ts";
import { ProblemBody } from "./problem.ts";

type Json = Record<string, unknown>;

export interface Operation {
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Json;
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Json }>>;
}

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly description: string;
  readonly schema: Json;
}

const int = (minimum: number, maximum: number, more: Json = {}) => ({
  type: "integer",
  minimum,
  maximum,
  ...more,
});

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
const since: Parameter = {
  name: "since",
  in: "query",
  description: "A position, `<epoch>.<seq>`: the changes after it",
  schema: { type: "string", examples: ["k3v9x2ab.1042"] },
};

const text = { type: "string" };
const problem = {
  description: "What is wrong: RFC 9457, with a stable `code` and the fields",
  content: { "application/problem+json": { schema: ref("Problem") } },
};
const list = { type: "array", items: ref("Order") };
const snapshot = {
  ...text,
  description: "pg_current_snapshot() of the statement that read: what the stream is joined with",
};
const written = { message: text, xid: { ...text, description: "The transaction, as the stream names it" } };

const listOrders: Operation = {
  summary: "List orders, newest first",
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
  ],
  responses: answers("200", "The orders", {
    data: list,
    count: int(0, MAX_LIMIT),
    pagination: {
      type: "object",
      required: ["limit", "offset", "total", "has_more"],
      properties: {
        limit: { type: "integer" },
        offset: { type: "integer" },
        total: { type: "integer" },
        has_more: { type: "boolean" },
      },
    },
    snapshot,
  }),
};

const createOrder: Operation = {
  summary: "Create an order",
  parameters: [
    {
      name: "Idempotency-Key",
      in: "header",
      description: "Makes a retry safe: the same key and body answer with the same order again",
      schema: { ...text, minLength: 1, maxLength: 255 },
    },
  ],
  requestBody: body("NewOrder"),
  responses: answers("201", "The order, with Location and ETag", { data: ref("Order"), ...written }),
};

const updateOrder: Operation = {
  summary: "Change any of an order's fields",
  parameters: [id, ifMatch],
  requestBody: body("OrderChange"),
  responses: answers("200", "The order as it is now", { data: ref("Order"), ...written }),
};

const orderPaths = {
  "/api/orders": { get: listOrders, post: createOrder },
  "/api/orders/stats": {
    get: {
      summary: "Count orders",
      responses: answers("200", "The counts", { data: ref("OrderStats"), snapshot }),
    },
  },
  "/api/orders/bulk-status": {
    patch: {
      summary: "Set the status of many orders",
      requestBody: body("BulkStatus"),
      responses: answers("200", "The orders that were changed, and the ids that do not exist", {
        data: list,
        count: int(1, 1000),
        missing: { type: "array", items: int(1, MAX_ID) },
        ...written,
      }),
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
        ...answers("200", "The order, with ETag", { data: ref("Order"), snapshot }),
        "304": { description: "Unchanged" },
      },
    },
    put: updateOrder,
    patch: updateOrder,
    delete: {
      summary: "Delete an order",
      parameters: [id, ifMatch],
      responses: answers("200", "The order as it was", { data: ref("Order"), ...written }),
    },
  },
} satisfies Record<string, Record<string, Operation>>;

const health: Operation = {
  summary: "How things stand",
  responses: {
    "200": {
      description: "Up",
      ...content({
        type: "object",
        required: ["status", "timestamp", "connectedClients"],
        properties: {
          status: text,
          timestamp: { ...text, format: "date-time" },
          connectedClients: { type: "integer" },
          listener: toSchema(ListenerStatus),
        },
      }),
    },
    default: problem,
  },
};

const streamPaths = {
  "/health": { get: health },
  "/api/health": { get: health },
  "/api/changes": {
    get: {
      summary: "The history of changes after a position, a page at a time",
      description: "What /ws and /sse deliver live. Follow `position` until nothing more comes.",
      parameters: [
        since,
        {
          name: "limit",
          in: "query",
          description: "Changes at most",
          schema: { type: "integer", minimum: 1 },
        },
      ],
      responses: {
        "200": {
          description: "Changes in order",
          ...content({
            type: "object",
            required: ["changes", "position"],
            properties: { position: text, changes: { type: "array", items: ref("Change") } },
          }),
        },
        default: problem,
      },
    },
  },
  "/sse": {
    get: {
      summary: "Changes live, as server-sent events",
      parameters: [since],
      responses: {
        "200": {
          description: "One event a change: `event: orders:update`",
          content: { "text/event-stream": {} },
        },
        default: problem,
      },
    },
  },
  "/ws": {
    get: {
      summary: "Changes live, over a WebSocket",
      parameters: [since],
      responses: { "101": { description: "Switching protocols" }, default: problem },
    },
  },
} satisfies Record<string, Record<string, Operation>>;

/** Paths to methods to operations: what the docs page is rendered from as well. */
export const paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  ...orderPaths,
  ...streamPaths,
};

/** The whole document. */
export function openApiDocument(): Json {
  return {
    openapi: "3.1.0",
    info: {
      title: "Rowcast",
      version: "0.1.0",
      description: "Live Postgres rows. /orders… is the same as /api/orders….",
    },
    servers: [{ url: "/" }],
    paths,
    components: {
      schemas: {
        Order: toSchema(Order),
        NewOrder: toSchema(NewOrder),
        OrderChange: { ...toSchema(OrderChange), minProperties: 1 },
        BulkStatus: toSchema(BulkStatus),
        OrderStats: toSchema(OrderStats),
        Change: toSchema(Change),
        Problem: toSchema(ProblemBody),
      },
    },
  };
}

function toSchema(schema: v.GenericSchema): Json {
  const { $schema: _, ...json } = toJsonSchema(schema, {
    target: "draft-2020-12",
    typeMode: "input",
    // A check that is a function has no counterpart; the one that does is given here.
    errorMode: "ignore",
    overrideAction: ({ valibotAction, jsonSchema }) =>
      (valibotAction as unknown) === withinNameLength
        ? { ...jsonSchema, maxLength: MAX_NAME_CHARACTERS }
        : undefined,
  });
  return json;
}

function ref(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
}

function content(schema: Json) {
  return { content: { "application/json": { schema } } };
}

function body(name: string): Json {
  return { required: true, ...content(ref(name)) };
}

/** An answer of the API: `success` and the given members, all of them there; or a problem. */
function answers(status: string, description: string, members: Json) {
  const properties = { success: { const: true }, ...members };
  const schema = { type: "object", required: Object.keys(properties), properties };
  return { [status]: { description, ...content(schema) }, default: problem };
}
