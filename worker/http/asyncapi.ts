/**
 * The streams as an AsyncAPI 3 document: every frame of `/ws`, and every event of `/sse`. Shapes come from the schemas that
 * clients and Worker share; docs/protocol.md says in words what they are for.
 */
import packageJson from "../../package.json";
import { Change } from "../../protocol/change.ts";
import { CloseCode } from "../../protocol/close-codes.ts";
import * as messages from "../../protocol/messages.ts";
import { type Json, toSchema } from "./openapi-parts.ts";

/** What each frame is for. */
const DOWN = {
  welcome: [messages.Welcome, "The first frame: where the stream begins"],
  changes: [messages.Changes, "Changes in order; `from` is the position of the frame before"],
  reset: [messages.Reset, "What the client holds cannot be continued: reload, go on from `position`"],
  status: [messages.Status, "How many watch, and how the listener is"],
  subscribed: [messages.Subscribed, "The filter that is now in force"],
  error: [messages.ServerError, "A frame of the client that cannot be carried out; the stream goes on"],
  reconnect: [messages.Reconnect, "This hub is about to go: come back within `after` ms"],
} as const;
const UP = {
  subscribe: [messages.Subscribe, "Narrow the stream, or add to what it is narrowed to"],
  unsubscribe: [messages.Unsubscribe, "Take away from it; with nothing named, back to everything"],
  ack: [messages.Ack, "Everything up to `position` has been taken in"],
} as const;
/** Frames that are no JSON. */
const PINGS = {
  ping: { const: "ping", summary: "Is the way open, and am I up to date?" },
  pong: {
    pattern: "^pong [0-9a-z]+\\.[0-9]+$",
    summary: "The position up to which the hub has sent everything to a client that keeps up",
  },
} as const;
const EVENTS = {
  change: [Change, "`event: <table>:<operation>`, `id: <position>`: one change"],
  position: [null, "Nothing passed the filter up to this `id`"],
  problem: [
    messages.ServerError,
    "An error, or why the stream ends; `error` is the name of EventSource's own",
  ],
} as const;

const json = (name: string, title: string, payload: Json) => ({
  [name]: { name, title, contentType: "application/json", payload },
});
const ref = ($ref: string) => ({ $ref });
const inChannel = (channel: string, names: readonly string[]) =>
  names.map((name) => ref(`#/channels/${channel}/messages/${name}`));
const fromComponents = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, ref(`#/components/messages/${name}`)]));

/** The whole document. */
export function asyncApiDocument(): Json {
  const [down, up] = [
    [...Object.keys(DOWN), "pong"],
    [...Object.keys(UP), "ping"],
  ];
  const sse = ["welcome", "change", "position", "reset", "status", "subscribed", "reconnect", "problem"];
  const framed = Object.entries({ ...DOWN, ...UP, ...EVENTS }).map(([name, [schema, title]]) =>
    json(
      name,
      title,
      schema === null
        ? { type: "object", required: ["position"], properties: { position: { type: "string" } } }
        : toSchema(schema),
    ),
  );
  const pings = Object.entries(PINGS).map(([name, { summary, ...payload }]) => ({
    [name]: { name, summary, contentType: "text/plain", payload: { type: "string", ...payload } },
  }));
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Rowcast streams",
      version: packageJson.version,
      description: `Every committed change of the watched tables, exactly once and in order. Close codes: ${closeCodes()}.`,
    },
    defaultContentType: "application/json",
    channels: {
      ws: {
        address: "/ws",
        description:
          "A WebSocket, with ?since=<position> and a filter; both ways, one JSON object a frame. With ?lean=1, a change leaves out what follows from the one before it in its frame (docs/protocol.md)",
        messages: fromComponents([...down, ...up]),
        bindings: { ws: { method: "GET" } },
      },
      sse: {
        address: "/sse",
        description: "Server-sent events, with the same query; Last-Event-ID wins over since",
        messages: fromComponents(sse),
      },
    },
    operations: {
      sendFrames: { action: "send", channel: ref("#/channels/ws"), messages: inChannel("ws", down) },
      receiveFrames: { action: "receive", channel: ref("#/channels/ws"), messages: inChannel("ws", up) },
      sendEvents: { action: "send", channel: ref("#/channels/sse"), messages: inChannel("sse", sse) },
    },
    components: { messages: Object.assign({}, ...framed, ...pings) as Json },
  };
}

function closeCodes(): string {
  return Object.entries(CloseCode)
    .map(([name, code]) => `${code} ${name}`)
    .join(", ");
}
