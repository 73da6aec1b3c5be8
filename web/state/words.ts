/** What the page says about the connection. Pure. */
import type { ConnectionState, ListenerStatus, Transport } from "../../client/index.ts";
import type { ResetReason } from "../../protocol/messages.ts";

const TRANSPORT_NAMES = { websocket: "WebSocket", sse: "SSE" } as const;

/** `?transport=sse` (or `websocket`) in the page's address leaves only that one. */
export function forcedTransports(search: string): Transport[] | null {
  const wish = new URLSearchParams(search).get("transport");
  return wish === "sse" || wish === "websocket" ? [wish] : null;
}

export interface ConnectionWords {
  readonly text: string;
  /** Seconds until the next attempt. Apart from `text`, since a screen reader need not hear it count. */
  readonly countdown: number | null;
}

/** `now` in ms since 1970. */
export function connectionWords(state: ConnectionState, now: number): ConnectionWords {
  const countdown = state.name === "waiting" ? Math.max(1, Math.ceil((state.retryAt - now) / 1000)) : null;
  if (state.name === "live") return { text: `Live over ${TRANSPORT_NAMES[state.transport]}`, countdown };
  if (state.name === "connecting" && state.attempt > 1) return { text: "Reconnecting", countdown };
  return { text: STATE_NAMES[state.name], countdown };
}

const STATE_NAMES = {
  connecting: "Connecting",
  "catching-up": "Catching up",
  waiting: "Reconnecting",
  offline: "Offline",
  stopped: "Stopped",
} as const;

/** What the pill in the header says. `tone` gives its mark a form and a colour. */
export interface PillWords extends ConnectionWords {
  readonly tone: "live" | "busy" | "waiting" | "off" | "listener";
  /** More, for who asks. */
  readonly detail: string;
}

const TONES = {
  live: "live",
  connecting: "busy",
  "catching-up": "busy",
  waiting: "waiting",
  offline: "off",
  stopped: "off",
} as const;

/** The page's own connection comes first: of a listener behind it nothing is known while it is down. */
export function pillWords(
  state: ConnectionState,
  listener: ListenerStatus | undefined,
  now: number,
): PillWords {
  const words = connectionWords(state, now);
  const notice = state.name === "live" && listener !== undefined ? LISTENER_WORDS[listener] : null;
  if (notice) return { text: notice.short, countdown: null, tone: "listener", detail: notice.long };
  return {
    ...words,
    tone: TONES[state.name],
    detail: "reason" in state ? state.reason : DETAILS[state.name],
  };
}

const DETAILS = {
  connecting: "A connection is being opened.",
  "catching-up": "What happened meanwhile is on its way.",
  live: "Each change shows the moment it is committed.",
  offline: "This device has no network. What was loaded stays readable; what you change is sent later.",
} as const;

interface ListenerWords {
  readonly short: string;
  readonly long: string;
}

/** What to know of the listener; null when it is live, or about to be, and all is well. */
const LISTENER_WORDS: Readonly<Record<ListenerStatus, ListenerWords | null>> = {
  live: null,
  connecting: null,
  asleep: {
    short: "Database asleep",
    long: "Nobody was watching, so the database was let sleep. It is being woken.",
  },
  down: {
    short: "Listener down",
    long: "Nothing is heard of the listener. Changes still arrive, every few seconds.",
  },
};

/** The listener's state, for the panel. */
export const LISTENER_STATES: Readonly<Record<ListenerStatus, string>> = {
  live: "Live",
  connecting: "Connecting to the database",
  asleep: "Asleep, with the database",
  down: "Down; the log looks for changes itself, every few seconds",
};

/** Why everything is loaded anew. */
export const RESET_WORDS: Readonly<Record<ResetReason, string>> = {
  expired: "This page was away for longer than the history reaches back, so the orders were loaded again.",
  epoch: "The history of changes began anew, so the orders were loaded again.",
  future: "This page was ahead of the server, which has been restored, so the orders were loaded again.",
};

/** `4 s`, `3 min`, `2 h`, `5 days`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  const days = Math.floor(seconds / 86_400);
  return days === 1 ? "1 day" : `${days} days`;
}
