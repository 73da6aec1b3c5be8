/** What the page says about the connection. Pure. */
import type { ConnectionState, ListenerStatus, Transport } from "../../client/index.ts";

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

interface ListenerWords {
  readonly short: string;
  readonly long: string;
}

/** What to know of the listener; null when it is live, and all is well. */
export const LISTENER_WORDS: Readonly<Record<ListenerStatus, ListenerWords | null>> = {
  live: null,
  connecting: {
    short: "Listener connecting",
    long: "The listener is up and has no database connection yet.",
  },
  asleep: {
    short: "Listener asleep",
    long: "The listener let the database sleep; the next change through the API wakes it.",
  },
  down: {
    short: "Listener down",
    long: "Nothing is heard of the listener. Changes still arrive, every few seconds.",
  },
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
