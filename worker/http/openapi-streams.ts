/** Streams, history and health in the OpenAPI description. */
import { ListenerStatus } from "../../protocol/messages.ts";
import { DEFAULT_WAIT_MS, MAX_WAIT_MS, ProbeBody } from "../probe/schemas.ts";
import { StatusBody } from "../status.ts";
import {
  ACCESS,
  content,
  int,
  type Operation,
  type Parameter,
  problems,
  ref,
  text,
  toSchema,
} from "./openapi-parts.ts";

const since: Parameter = {
  name: "since",
  in: "query",
  description: "A position, `<epoch>.<seq>`: the changes after it",
  schema: { type: "string", examples: ["k3v9x2ab.1042"] },
};

const filter: readonly Parameter[] = [
  { name: "tables", in: "query", description: "Names of tables, separated by commas", schema: text },
  { name: "orderIds", in: "query", description: "Ids of orders, separated by commas", schema: text },
  { name: "statuses", in: "query", description: "Statuses of orders, separated by commas", schema: text },
  {
    name: "filter",
    in: "query",
    description: "For any table and column, as JSON: alternatives by column",
    schema: { ...text, examples: ['{"orders":{"status":["pending"]}}'] },
  },
];

const fold: Parameter = {
  name: "fold",
  in: "query",
  description: "1: a client that is behind is told only what became of each row",
  schema: { enum: ["0", "1"] },
};

const lean: Parameter = {
  name: "lean",
  in: "query",
  description: "1: changes leave out what follows from the change before (docs/protocol.md)",
  schema: { enum: ["0", "1"] },
};

const history = {
  "200": {
    description: "Changes in order; with `more`, go on from `position`",
    ...content({
      type: "object",
      required: ["success", "from", "position", "more", "changes"],
      properties: {
        success: { const: true },
        from: text,
        position: text,
        more: { type: "boolean" },
        changes: { type: "array", items: ref("Change") },
      },
    }),
  },
  ...problems(400, ...ACCESS, 404, 410),
};

const health: Operation = {
  summary: "How things stand",
  responses: {
    "200": {
      description: "Up; degraded when no listener delivers",
      ...content({
        type: "object",
        required: ["status", "timestamp", "connectedClients", "listener", "lagMs", "position", "protocol"],
        properties: {
          status: { enum: ["ok", "degraded"] },
          timestamp: { ...text, format: "date-time" },
          connectedClients: { type: "integer" },
          listener: toSchema(ListenerStatus),
          lagMs: { type: ["number", "null"] },
          position: text,
          protocol: { type: "integer" },
        },
      }),
    },
  },
};

const document = (summary: string) => ({
  get: { summary, responses: { "200": { description: "The document", ...content({ type: "object" }) } } },
});

const ticket: Parameter = {
  name: "ticket",
  in: "query",
  description: "From `POST /api/ticket`, where a browser cannot send Authorization: good once",
  schema: text,
};

export const streamPaths = {
  "/api/ticket": {
    post: {
      summary: "A ticket for one stream, for browsers: a WebSocket and an EventSource send no headers",
      responses: {
        "201": {
          description: "Good for one connection, within seconds",
          ...content({
            type: "object",
            required: ["success", "ticket", "expires_at"],
            properties: {
              success: { const: true },
              ticket: text,
              expires_at: { ...text, format: "date-time" },
            },
          }),
        },
        ...problems(400, ...ACCESS),
      },
    },
  },
  "/api/status": {
    get: {
      summary: "How things stand, in depth",
      description:
        "A database that may be asleep is not asked, unless `probe` says so. A pinned token is told how the service is, not " +
        "how much others do: numbers of clients, of waiting changes and of the history are null.",
      parameters: [
        {
          name: "probe",
          in: "query",
          description: "1: ask the database in any case",
          schema: { enum: ["0", "1"] },
        },
      ],
      responses: {
        "200": { description: "How things stand", ...content(toSchema(StatusBody)) },
        ...problems(400, ...ACCESS),
      },
    },
  },
  "/api/probe": {
    post: {
      summary: "A change through the whole way and back, with the time of each hop",
      description:
        "Writes the one row of rowcast.probes and waits for the change at the caller's hub. With 503 `probe_timeout`, " +
        "`probe.missing` names the hop that was not made and `probe.hops` those that were.",
      parameters: [
        {
          name: "wait_ms",
          in: "query",
          description: "How long to wait for the change once it is written",
          schema: int(0, MAX_WAIT_MS, { default: DEFAULT_WAIT_MS }),
        },
      ],
      responses: {
        "200": { description: "It came back", ...content(toSchema(ProbeBody)) },
        ...problems(400, ...ACCESS, 503),
      },
    },
  },
  "/api/openapi.json": document("This description"),
  "/api/asyncapi.json": document("The streams, frame by frame, as AsyncAPI"),
  "/api/docs": {
    get: {
      summary: "This description, for people",
      responses: { "200": { description: "A page", content: { "text/html": {} } } },
    },
  },
  "/health": { get: health },
  "/api/health": { get: health },
  "/api/changes": {
    get: {
      summary: "The history of changes after a position, a page at a time",
      description: "What /ws and /sse deliver live. Without `since`: the present position.",
      parameters: [
        since,
        ...filter,
        {
          name: "limit",
          in: "query",
          description: "Changes at most",
          schema: int(1, 1000, { default: 1000 }),
        },
      ],
      responses: history,
    },
  },
  "/api/changes/{epoch}/{from}-{to}": {
    get: {
      summary: "A page of the history under an address of its own: it never changes, any cache may keep it",
      parameters: ["epoch", "from", "to"].map((name) => ({
        name,
        in: "path",
        required: true,
        description: name === "epoch" ? "Of the position" : "A number of the position",
        schema: name === "epoch" ? text : { type: "integer" },
      })),
      responses: history,
    },
  },
  "/sse": {
    get: {
      summary: "Changes live, as server-sent events",
      parameters: [
        since,
        ticket,
        fold,
        ...filter,
        {
          name: "Last-Event-ID",
          in: "header",
          description: "As `since`; EventSource sends it",
          schema: text,
        },
      ],
      responses: {
        "200": {
          description: "One event a change: `event: orders:update`",
          content: { "text/event-stream": {} },
        },
        ...problems(400, ...ACCESS, 503),
      },
    },
  },
  "/ws": {
    get: {
      summary: "Changes live, over a WebSocket",
      parameters: [since, ticket, fold, lean, ...filter],
      responses: { "101": { description: "Switching protocols" }, ...problems(400, ...ACCESS, 426, 503) },
    },
  },
} satisfies Record<string, Record<string, Operation>>;
