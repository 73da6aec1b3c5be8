/** The states of a connection, what can happen to it, and what it asks of the world. Types and timing only. */
import type { Change } from "../protocol/change.ts";
import type { MessageOf, ServerMessage, Window } from "../protocol/messages.ts";

export type Transport = "websocket" | "sse";

/** All in milliseconds. */
export const TIMING = {
  /** A connection that has not said `welcome` by then has failed to open. */
  open: 10_000,
  ping: 25_000,
  /** After a ping, any frame proves life. */
  pong: 10_000,
  /** SSE: comments come every 15 s; two may be lost. */
  quiet: 40_000,
  /** A WebSocket that dies younger than this was cut by something on the way. */
  young: 5_000,
  /** Live for this long: the backoff starts anew. */
  steady: 10_000,
  /** On SSE for this long: see whether WebSocket works by now. Doubles up to `probeMax`. */
  probe: 60_000,
  probeMax: 600_000,
  /** `online` may never be fired (virtual network cards): look all the same. */
  offline: 30_000,
} as const;

interface Common {
  /** The first is preferred, the second is what is fallen back to. */
  readonly transports: readonly Transport[];
  /** The one in use, or to be used next. */
  readonly transport: Transport;
  /** The number of the present or last connection; what an older one still says is not heard. */
  readonly connection: number;
  /** Everything up to it has been delivered; null before the first welcome. */
  readonly position: string | null;
  /** Attempts failed since the stream was last steady. */
  readonly attempt: number;
  /** Failures in a row of the preferred transport: not opened, or died young. */
  readonly failures: number;
  /** How long to stay on SSE before WebSocket is tried again. */
  readonly probeMs: number;
  /** How many clients there were, as the server last said: all of them may be coming back with this one. */
  readonly clients: number;
}

export interface Connecting extends Common {
  readonly name: "connecting";
  readonly openBy: number;
}

interface Open extends Common {
  readonly openedAt: number;
  readonly window: Window;
  /** Taken in since the last ack. */
  readonly taken: Window;
  /** WebSocket: when to ping next; null over SSE, where the server speaks by itself. */
  readonly pingAt: number | null;
  /** When silence means death; null while nothing is asked. */
  readonly deadAt: number | null;
  /** A pong was ahead of us and nothing has arrived since. */
  readonly suspect: boolean;
  /** The hub is about to go: when to move. */
  readonly moveAt: number | null;
  /** Over SSE: when to try WebSocket, or, while `probing`, when to give the try up. */
  readonly probeAt: number | null;
  readonly probing: boolean;
}
export interface CatchingUp extends Open {
  readonly name: "catching-up";
}
export interface Live extends Open {
  readonly name: "live";
  readonly liveAt: number;
}
export type Streaming = CatchingUp | Live;

export interface Waiting extends Common {
  readonly name: "waiting";
  readonly retryAt: number;
  readonly reason: string;
}
export interface Offline extends Common {
  readonly name: "offline";
  readonly retryAt: number;
}
export interface Stopped extends Common {
  readonly name: "stopped";
  readonly reason: string;
  /** Of protocol/close-codes.ts, when it was the server's will; 0 otherwise. */
  readonly code: number;
}
export type State = Connecting | CatchingUp | Live | Waiting | Offline | Stopped;

/** A `changes` frame; over SSE with a filter nothing says where it begins: `from` is null. */
export type ChangesMessage = Omit<MessageOf<"changes">, "from"> & { readonly from: string | null };
/** What a transport hands up. */
export type Incoming = Exclude<ServerMessage, { type: "changes" }> | ChangesMessage;
/** What is passed on to the application as it came. */
export type Notice = Exclude<ServerMessage, { type: "changes" | "reconnect" }>;

export type Event =
  /** A frame of `size` characters. */
  | {
      readonly type: "message";
      readonly connection: number;
      readonly message: Incoming;
      readonly size: number;
    }
  | { readonly type: "pong"; readonly connection: number; readonly position: string }
  /** Bytes that were no frame: an SSE comment, a part of an event. */
  | { readonly type: "heard"; readonly connection: number }
  /** It is gone, or never came to be. `code` is of protocol/close-codes.ts or the platform's. */
  | {
      readonly type: "closed";
      readonly connection: number;
      readonly code: number;
      readonly reason: string;
      /** The server does not want to see us again before, in ms. */
      readonly afterMs: number;
    }
  /** What the try of a WebSocket beside SSE came to. */
  | { readonly type: "probed"; readonly connection: number; readonly opened: boolean }
  /** The time of `wakeAt` has come (or not: a tick too early does nothing). */
  | { readonly type: "tick" }
  | { readonly type: "online" }
  | { readonly type: "offline" }
  /** The page has come to the front: it may have slept for long. */
  | { readonly type: "visible" }
  /** The filter is another one; `frame` tells a WebSocket so. */
  | { readonly type: "refilter"; readonly frame: string }
  | { readonly type: "reconnect" }
  | { readonly type: "stop"; readonly reason: string };

export type Effect =
  | {
      readonly type: "open";
      readonly connection: number;
      readonly transport: Transport;
      readonly since: string | null;
    }
  | { readonly type: "close"; readonly connection: number }
  | { readonly type: "send"; readonly connection: number; readonly text: string }
  /** Open a WebSocket beside the stream, only to see whether it says anything. */
  | { readonly type: "probe"; readonly connection: number }
  | { readonly type: "end-probe" }
  | {
      readonly type: "deliver";
      readonly from: string;
      readonly position: string;
      readonly changes: readonly Change[];
      readonly transport: Transport;
    }
  | { readonly type: "gap"; readonly expected: string; readonly got: string }
  | { readonly type: "notice"; readonly message: Notice };

export type Step = readonly [State, readonly Effect[]];

/** Time and chance, passed in: `now` in milliseconds, `random` draws from [0, 1). */
export interface World {
  readonly now: number;
  readonly random: () => number;
}

/** When the machine wants a `tick`; null when nothing but the application can move it. */
export function wakeAt(state: State): number | null {
  if (state.name === "stopped") return null;
  if (state.name === "connecting") return state.openBy;
  if (state.name === "waiting" || state.name === "offline") return state.retryAt;
  const deadlines = [state.deadAt, state.moveAt, state.pingAt, state.probeAt];
  return Math.min(...deadlines.filter((at) => at !== null));
}
