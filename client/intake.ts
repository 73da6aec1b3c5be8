/** What a `changes` frame does to a stream: the gap check, the delivery, the ack. Pure. */
import { parsePosition } from "../protocol/position.ts";
import type { Window } from "../protocol/messages.ts";
import type { ChangesMessage, Effect, Streaming } from "./states.ts";

/** What comes of a frame: taken in, known already, or not a continuation of what we have. */
export type Intake =
  | { readonly kind: "taken"; readonly state: Streaming; readonly effects: readonly Effect[] }
  | { readonly kind: "known" }
  | { readonly kind: "gap"; readonly expected: string; readonly got: string };

/**
 * Takes a frame in only when it begins exactly where the stream stands, so that nothing is skipped and nothing applied
 * twice. An ack goes out when a quarter of the window has been taken in since the last: the hub never has to stop for a
 * client that keeps up, and a client costs four small frames a window.
 *
 * @param size of the frame in characters, as the hub counts them.
 */
export function takeIn(state: Streaming, message: ChangesMessage, size: number): Intake {
  const own = state.position;
  const { position, changes } = message;
  if (own === null) return { kind: "gap", expected: "", got: position };
  const here = parsePosition(own);
  const there = parsePosition(position);
  const forward = here && there && here.epoch === there.epoch ? there.seq - here.seq : null;
  if (message.from === null) {
    if (forward === null) return { kind: "gap", expected: own, got: position };
    if (forward <= 0) return { kind: "known" };
  } else if (message.from !== own || forward === null || forward < 0) {
    return { kind: "gap", expected: own, got: message.from };
  }

  const effects: Effect[] = [];
  if (position !== own || changes.length > 0) {
    effects.push({ type: "deliver", from: own, position, changes, transport: state.transport });
  }
  let taken: Window = { bytes: state.taken.bytes + size, changes: state.taken.changes + changes.length };
  // Over SSE the adapter acknowledges what the network has taken from it.
  if (state.transport === "websocket" && isAckDue(taken, state.window)) {
    taken = NOTHING;
    const text = JSON.stringify({ type: "ack", position });
    effects.push({ type: "send", connection: state.connection, text });
  }
  return { kind: "taken", state: { ...state, position, taken, suspect: false }, effects };
}

export const NOTHING: Window = { bytes: 0, changes: 0 };

/** Whether a quarter of the window, in characters or in changes, has been used up. */
export function isAckDue(taken: Window, window: Window): boolean {
  return taken.bytes * 4 >= window.bytes || taken.changes * 4 >= window.changes;
}

/** Whether position `theirs` holds something that a client at `own` has not seen; what cannot be read proves nothing. */
export function isAhead(theirs: string, own: string | null): boolean {
  const there = parsePosition(theirs);
  const here = own === null ? null : parsePosition(own);
  if (!there || !here) return false;
  return there.epoch !== here.epoch || there.seq > here.seq;
}
