/**
 * What the log takes its listeners for, and when it begins to look into the outbox itself. Pure.
 *
 * A delivery or heartbeat is proof for `fallbackAfterMs`. Listeners that all sleep are none, and are not missed: the
 * database may sleep as well, and only a look of ours would wake it. Once they have been called they have `WAKE_MS`.
 */
import type { ListenerState } from "../../protocol/control.ts";
import type { ListenerStatus } from "../../protocol/messages.ts";

/** From the call to the first delivery: a Neon compute takes a second to wake, and rarely four. */
export const WAKE_MS = 5000;

/** Times in ms since 1970. */
export interface Heard {
  /** When the last request of a listener came; 0: not since all of them fell asleep. */
  readonly heardAt: number;
  /** Whether one ever came. */
  readonly heardEver: boolean;
  /** When they were last called, or one that slept lost its control socket. */
  readonly calledAt: number;
  /** What those with a control socket say of themselves. */
  readonly states: readonly ListenerState[];
  /** Whether clients watch. */
  readonly watched: boolean;
  readonly fallbackAfterMs: number;
}

export function allAsleep(states: readonly ListenerState[]): boolean {
  return states.length > 0 && states.every((state) => state === "asleep");
}

/** From when on the log looks by itself, if clients watch. */
export function fallbackAt({ heardAt, calledAt, fallbackAfterMs }: Heard): number {
  return Math.max(heardAt + fallbackAfterMs, calledAt + WAKE_MS);
}

export function listenerStatus(heard: Heard, now: number): ListenerStatus {
  const asleep = allAsleep(heard.states);
  if (now < heard.heardAt + heard.fallbackAfterMs) return heard.heardEver ? "live" : "connecting";
  if (asleep && (!heard.watched || now < fallbackAt(heard))) return "asleep";
  return now < fallbackAt(heard) ? "connecting" : "down";
}
