/** The frames of `/ws`, one schema each; SSE carries the same objects as the data of its events. */
import * as v from "valibot";
import { Change } from "./change.ts";
import { Filter, FilterInput } from "./filter-schema.ts";
import { parsePosition } from "./position.ts";

/** The text form of a position, checked. */
const PositionText = v.pipe(
  v.string(),
  v.check((text) => parsePosition(text) !== null, "a position looks like k3v9x2ab.1042"),
);
const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/**
 * What is known of the listener: `live` it delivers; `connecting` it is there but has no database yet; `asleep` it let
 * go on purpose; `down` nothing heard of it, and the ChangeLog looks for itself.
 */
export const ListenerStatus = v.picklist(["live", "connecting", "asleep", "down"]);
export type ListenerStatus = v.InferOutput<typeof ListenerStatus>;

/** How much may be under way to a client before the hub waits for its `ack`: characters of frames, and changes. */
export const Window = v.object({ bytes: Count, changes: Count });
export type Window = v.InferOutput<typeof Window>;

export const Welcome = v.object({
  type: v.literal("welcome"),
  clientId: v.string(),
  /** Where the stream begins: the position the client asked for, or the present one. */
  position: PositionText,
  connectedClients: Count,
  listener: ListenerStatus,
  window: Window,
  protocol: Count,
});

export const Changes = v.object({
  type: v.literal("changes"),
  /** The position of the frame before: a client whose own position differs has a gap and starts again from its own. */
  from: PositionText,
  position: PositionText,
  /** May be empty: then everything up to `position` was outside the filter. */
  changes: v.array(Change),
});

export const ResetReason = v.picklist(["expired", "epoch", "future"]);
export type ResetReason = v.InferOutput<typeof ResetReason>;

/** What the client holds cannot be continued: reload the snapshot, go on from `position`. */
export const Reset = v.object({ type: v.literal("reset"), reason: ResetReason, position: PositionText });

export const Status = v.object({
  type: v.literal("status"),
  connectedClients: Count,
  listener: ListenerStatus,
  /** From the commit's timestamp to the log, of the last batch; null before the first. */
  lagMs: v.nullable(v.number()),
});

/** The filter now in force; changes after `position` obey it. The answer to `subscribe` and `unsubscribe`. */
export const Subscribed = v.object({
  type: v.literal("subscribed"),
  filter: v.nullable(Filter),
  position: PositionText,
});

export const ServerError = v.object({ type: v.literal("error"), code: v.string(), message: v.string() });

/** This hub is about to go or to split: come back within `after` milliseconds, spread out, with your position. */
export const Reconnect = v.object({ type: v.literal("reconnect"), after: Count });

export const ServerMessage = v.variant("type", [
  Welcome,
  Changes,
  Reset,
  Status,
  Subscribed,
  ServerError,
  Reconnect,
]);
export type ServerMessage = v.InferOutput<typeof ServerMessage>;
export type MessageOf<T extends ServerMessage["type"]> = Extract<ServerMessage, { type: T }>;

const { orderIds, statuses, tables } = FilterInput.entries;

/** Narrow the stream to what is named, or add to what was named before. */
export const Subscribe = v.strictObject({ type: v.literal("subscribe"), orderIds, statuses, tables });
/** Take away what is named. With nothing named: back to everything. */
export const Unsubscribe = v.strictObject({ type: v.literal("unsubscribe"), orderIds, statuses, tables });
/** Everything up to `position` has been taken in: the hub may send more. */
export const Ack = v.strictObject({ type: v.literal("ack"), position: PositionText });

export const ClientMessage = v.variant("type", [Subscribe, Unsubscribe, Ack]);
export type ClientMessage = v.InferOutput<typeof ClientMessage>;
