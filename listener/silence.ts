/**
 * Whether writers ring the doorbell, and so how this listener waits. NOTIFY serialises commits, so under load a listener
 * silences the bell with a lock (sql/009_doorbell.sql) and looks by itself.
 *
 *     ringing ──busy──► silent ──idle──► leaving ──all who may not have rung have ended──► ringing
 *     any ──another session keeps it silent──► guarding ──it does no more──► leaving
 *
 * A transaction that met the lock does not ring, however much later it commits: waiting for the bell is right again only
 * when every transaction that was under way when the lock went has ended. That also holds for a lock that went with its
 * holder, and for a listener that has just come: it begins by leaving.
 *
 * Pure: what to ask of Postgres, and what the answer means. listener/rounds.ts does it.
 */

/** `until`: a transaction id that was given out when the lock was surely free, as decimal text. */
export type Mode =
  | { readonly name: "ringing"; readonly busy: number }
  | { readonly name: "silent"; readonly empty: number }
  | { readonly name: "leaving"; readonly until: string; readonly busy: number; readonly pauseMs: number }
  | { readonly name: "guarding"; readonly found: boolean };

/** One drain: whether it found anything, and whether the bell rang again while it ran. */
export interface Drained {
  readonly found: boolean;
  readonly rung: boolean;
}

/** So many drains in a row that find something and are rung for again before they end are load. */
export const BUSY_DRAINS = 3;
/** Between two looks with the bell silent: as long as a screen shows one picture. Each look takes from what writers could do. */
export const SILENT_PAUSE_MS = 16;
/** The same while no client is connected, whom a tenth of a second would delay. */
export const UNWATCHED_PAUSE_MS = 100;
/** So many looks in a row that find nothing end it. */
export const EMPTY_DRAINS = 20;
/** The longest pause between two looks for those who did not ring and are still at work. */
export const LEAVING_PAUSE_MS = 1_000;
/** While another session keeps the bell silent: it may be dead, and Postgres not know it yet. */
export const GUARD_PAUSE_MS = 1_000;
const GUARD_BUSY_PAUSE_MS = 20;

/** The lock is surely free since before `until`: look until all of those have ended. */
export function leaving(until: string): Mode {
  return { name: "leaving", until, busy: 0, pauseMs: SILENT_PAUSE_MS };
}

/** Somebody else holds the lock. */
export const GUARDING: Mode = { name: "guarding", found: true };

/** This session holds the lock. */
export const SILENT: Mode = { name: "silent", empty: 0 };

/**
 * After a drain.
 *
 * @param passed leaving: whether all before `until` had ended before that drain began.
 */
export function afterDrain(mode: Mode, { found, rung }: Drained, passed = false): Mode {
  switch (mode.name) {
    case "ringing":
      return { name: "ringing", busy: found && rung ? mode.busy + 1 : 0 };
    case "silent":
      return { name: "silent", empty: found ? 0 : mode.empty + 1 };
    case "leaving": {
      const busy = found && rung ? mode.busy + 1 : 0;
      if (passed) return { name: "ringing", busy };
      const pauseMs = found ? SILENT_PAUSE_MS : Math.min(LEAVING_PAUSE_MS, mode.pauseMs * 2);
      return { ...mode, busy, pauseMs };
    }
    case "guarding":
      return { name: "guarding", found };
  }
}

/** What is to be done with the lock now. */
export function wish(mode: Mode): "take" | "release" | null {
  if (mode.name === "silent") return mode.empty >= EMPTY_DRAINS ? "release" : null;
  return mode.name !== "guarding" && mode.busy >= BUSY_DRAINS ? "take" : null;
}

/**
 * How long to wait for the bell at most, in ms; null: as long as the keepalive allows.
 *
 * @param isWatched whether any client may be connected.
 */
export function patience(mode: Mode, isWatched: boolean): number | null {
  switch (mode.name) {
    case "ringing":
      return null;
    case "silent":
      return isWatched ? SILENT_PAUSE_MS : UNWATCHED_PAUSE_MS;
    case "leaving":
      return mode.pauseMs;
    case "guarding":
      if (!mode.found) return GUARD_PAUSE_MS;
      return isWatched ? GUARD_BUSY_PAUSE_MS : UNWATCHED_PAUSE_MS;
  }
}
