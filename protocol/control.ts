/**
 * The control socket, `GET /internal/control`: the listener holds it open so that it can let go of the database while
 * nobody watches and still be woken. `ping` and `pong` are those of protocol/frames.ts, without a position.
 */
import * as v from "valibot";

/** The answer to `ping`, given by the platform: it does not wake the log. */
export const CONTROL_PONG = "pong";

/** What the listener says of itself: when the socket opens, and whenever it changes. */
export const ListenerState = v.picklist(["live", "connecting", "asleep"]);
export type ListenerState = v.InferOutput<typeof ListenerState>;

export const FromListener = v.object({ type: v.literal("state"), state: ListenerState });
export type FromListener = v.InferOutput<typeof FromListener>;

/** How many clients watch: when the socket opens, and when the first comes or the last goes. */
export const Watchers = v.object({
  type: v.literal("watchers"),
  clients: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});

/** The outbox holds something new that nobody may have rung for. `reason` is for the log: `write`, and what may follow. */
export const Wake = v.object({ type: v.literal("wake"), reason: v.string() });

/** A listener passes over messages of other types: they are of a Worker that is newer. */
export const ToListener = v.variant("type", [Watchers, Wake]);
export type ToListener = v.InferOutput<typeof ToListener>;
