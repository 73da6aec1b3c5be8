/**
 * Two versions at once: a page that was loaded yesterday, a listener that is deployed tomorrow, an object that has not taken
 * the new code yet. What each of them says has to be understood by the version before and the one after.
 */
import { createHash } from "node:crypto";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { Change } from "./change.ts";
import { FromListener, ToListener } from "./control.ts";
import { AppendRequest, LogState } from "./ingest.ts";
import { ClientMessage, ServerMessage } from "./messages.ts";
import { PROTOCOL_VERSION } from "./version.ts";

/**
 * The wire, as it stands. When this test fails, the wire has changed. Then:
 *
 * 1. Does it only add: an optional field, a message of a new type, a value in a list that its reader passes over? Leave
 *    PROTOCOL_VERSION, take the new print below, and add what the version before said to SAID_BEFORE.
 * 2. Would a client of the version before misread it: a field gone, renamed, with another meaning, or required of the client?
 *    Better add beside it, and take the old one away a version later. If it has to be: raise PROTOCOL_VERSION (clients stop
 *    with a message instead of misreading) and say so in CHANGELOG.md.
 * 3. Between listener and Worker there is no version to look at: there it can only be added to (the Worker first).
 */
const PRINT = { protocol: 1, print: "91a991a7e12a54b4" };

/** One of each, in the fewest words that the version before used. */
const SAID_BEFORE = {
  toClient: [
    {
      type: "welcome",
      clientId: "c1",
      position: "e.0",
      connectedClients: 1,
      listener: "live",
      window: { bytes: 1, changes: 1 },
      protocol: 1,
    },
    { type: "changes", from: "e.0", position: "e.1", changes: [] },
    { type: "reset", reason: "epoch", position: "e.1" },
    { type: "status", connectedClients: 1, listener: "asleep", lagMs: null },
    { type: "subscribed", filter: null, position: "e.1" },
    { type: "error", code: "bad_frame", message: "…" },
    { type: "reconnect", after: 1000 },
  ],
  toHub: [{ type: "subscribe" }, { type: "unsubscribe" }, { type: "ack", position: "e.1" }],
  toLog: [{ source: "s", from: "1:1:", to: "1:2:", changes: [] }],
  toListener: [{ source: null, cursor: null, last: null, position: "e.0" }],
  onControlToListener: [
    { type: "watchers", clients: 0 },
    { type: "wake", reason: "write" },
  ],
  onControlToLog: [{ type: "state", state: "asleep" }],
  change: [
    {
      seq: 1,
      xid: "7",
      table: "orders",
      operation: "INSERT",
      key: { id: 1 },
      data: { id: 1 },
      old: null,
      timestamp: "2026-11-20T12:00:00.000001Z",
    },
  ],
};

/** Who reads what. */
const READERS = {
  toClient: ServerMessage,
  toHub: ClientMessage,
  toLog: AppendRequest,
  toListener: LogState,
  onControlToListener: ToListener,
  onControlToLog: FromListener,
  change: Change,
} satisfies Record<keyof typeof SAID_BEFORE, v.GenericSchema>;

const cases = Object.entries(SAID_BEFORE).flatMap(([to, messages]) =>
  messages.map((message) => ({ to: to as keyof typeof READERS, message, name: JSON.stringify(message) })),
);

describe("the wire", () => {
  it("has not changed, or whoever changed it has thought of the version before", () => {
    const shape = JSON.stringify(Object.entries(READERS).map(([name, schema]) => [name, shapeOf(schema)]));
    const print = createHash("sha256").update(shape).digest("hex").slice(0, 16);
    expect({ protocol: PROTOCOL_VERSION, print }).toEqual(PRINT);
  });

  it.each(cases)("understands what the version before said $to: $name", ({ to, message }) => {
    expect(v.safeParse(READERS[to], message).issues).toBeUndefined();
  });

  // What a client asks for in words unknown here would be left out of its filter, and it would get more than it wants: that
  // it is told. So clients are never newer than the Worker: it serves the page, and an SDK is updated after it.
  it.each(cases.filter(({ to }) => to !== "toHub"))(
    "passes over what the version after adds $to: $name",
    ({ to, message }) => {
      expect(v.parse(READERS[to], { ...message, addedLater: { a: 1 } })).toEqual(message);
    },
  );

  it("tells a client that asks in words unknown here", () => {
    expect(v.safeParse(ClientMessage, { type: "subscribe", regions: ["eu"] }).success).toBe(false);
  });
});

/** A schema as plain data: what it takes, by names, types and bounds. Custom checks are named by their message. */
function shapeOf(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(shapeOf);
  if (schema instanceof RegExp) return schema.source;
  if (typeof schema !== "object" || schema === null)
    return typeof schema === "function" ? "function" : schema;
  const names = [
    "type",
    "entries",
    "item",
    "options",
    "wrapped",
    "key",
    "value",
    "literal",
    "requirement",
    "pipe",
  ];
  const parts = schema as Record<string, unknown>;
  // A pipe's first part is the schema itself, without the pipe.
  if ("pipe" in parts) return (parts["pipe"] as unknown[]).map((part) => shapeOf(part));
  if (!("kind" in parts)) return Object.entries(parts).map(([name, part]) => [name, shapeOf(part)]);
  return names.flatMap((name) => (name in parts ? [[name, shapeOf(parts[name])]] : []));
}
