/**
 * Flow control of one client, as a pure state machine. A client is `live`: it is sent each batch as it comes. When more
 * is under way to it than the window allows it falls `behind`: nothing is kept for it, it is only remembered up to where
 * it was sent, and each `ack` that makes room lets it be served from the ring or the log until it is `live` again.
 * So what a slow client costs is one window, whatever it misses.
 */
import type { Window } from "../../protocol/messages.ts";

interface Common {
  /** The number in the last frame's `position`: the next frame's `from`. */
  readonly framed: number;
  /** Frames under way, oldest first, in steps of an eighth of the window: bounded memory for any number of frames. */
  readonly underWay: readonly Step[];
}

/** Has been sent everything up to the Hub's position, or it was outside the filter. */
export interface Live extends Common {
  readonly mode: "live";
}

export interface Behind extends Common {
  readonly mode: "behind";
  /** Everything up to this number was sent or was outside the filter. Before it `framed`, when the filter let nothing through. */
  readonly sent: number;
}

export type Flow = Live | Behind;

interface Step {
  readonly seq: number;
  readonly bytes: number;
  readonly changes: number;
}

/** A quarter of this is what a client takes in before it acknowledges. */
export const WINDOW: Window = { bytes: 262_144, changes: 16_384 };

const STEPS = 8;

/** A client that has everything up to `seq`. */
export function liveAt(seq: number): Live {
  return { mode: "live", framed: seq, underWay: [] };
}

/** A client that has everything up to `seq` and must be served what came after. */
export function behindAt(seq: number, underWay: readonly Step[] = []): Behind {
  return { mode: "behind", sent: seq, framed: seq, underWay };
}

/** What is under way: sent and not acknowledged. */
export function load(flow: Flow): { bytes: number; changes: number } {
  let [bytes, changes] = [0, 0];
  for (const step of flow.underWay) {
    bytes += step.bytes;
    changes += step.changes;
  }
  return { bytes, changes };
}

/** Whether the window has room: the next frame may overfill it, then nothing goes until an `ack`. */
export function hasRoom(flow: Flow, window: Window = WINDOW): boolean {
  const { bytes, changes } = load(flow);
  return bytes < window.bytes && changes < window.changes;
}

/** A frame of `bytes` characters with `changes` changes, its position `seq`, was sent. */
export function frameSent<F extends Flow>(
  flow: F,
  seq: number,
  bytes: number,
  changes: number,
  window: Window = WINDOW,
): F {
  const last = flow.underWay.at(-1);
  const merge =
    last !== undefined &&
    last.bytes + bytes <= window.bytes / STEPS &&
    last.changes + changes <= window.changes / STEPS;
  const underWay = merge
    ? [...flow.underWay.slice(0, -1), { seq, bytes: last.bytes + bytes, changes: last.changes + changes }]
    : [...flow.underWay, { seq, bytes, changes }];
  return { ...flow, ...(flow.mode === "behind" && { sent: seq }), framed: seq, underWay };
}

/** Up to `seq` there was nothing for this client, and no frame was sent. */
export function passedOver(flow: Behind, seq: number): Behind {
  return { ...flow, sent: seq };
}

/** The client has taken in everything up to `seq`. An old or repeated acknowledgement changes nothing. */
export function acknowledged<F extends Flow>(flow: F, seq: number): F {
  if (flow.underWay.length === 0 || (flow.underWay[0]?.seq ?? 0) > seq) return flow;
  return { ...flow, underWay: flow.underWay.filter((step) => step.seq > seq) };
}

/** The window was full when something came for it that the Hub, until then at `seq`, took in: nothing more until an acknowledgement. */
export function fellBehind({ framed, underWay }: Live, seq: number): Behind {
  return { mode: "behind", sent: seq, framed, underWay };
}

/** Everything up to the Hub's position has been sent. */
export function caughtUp({ framed, underWay }: Behind): Live {
  return { mode: "live", framed, underWay };
}
