/** Structured logs of the Worker: one line of JSON an event. */

/** The same fault again within this time is counted, and not told. */
const QUIET_MS = 1000;
/** Of so many different ones it is remembered when they were last told. */
const MAX_REMEMBERED = 100;
const told = new Map<string, { at: number; untold: number }>();

/**
 * Writes a line. Of a warning or error that lasts, one a second from each isolate, with how many were left `untold`.
 *
 * @param event what happened, and what is done about it.
 * @param details more members of the line; no rows, no secrets.
 * @param kind what tells one fault from another: the event, unless given.
 */
export function logEvent(
  level: "info" | "warn" | "error",
  event: string,
  details: Readonly<Record<string, unknown>> = {},
  kind = event,
): void {
  const untold = level === "info" ? 0 : hold(kind);
  if (untold === null) return;
  console[level](JSON.stringify({ level, event, ...(untold > 0 && { untold }), ...details }));
}

/** How many lines of this kind were held back since the last; null when this one is held back too. */
function hold(kind: string): number | null {
  const now = Date.now();
  const last = told.get(kind);
  if (last !== undefined && now - last.at < QUIET_MS) {
    last.untold += 1;
    return null;
  }
  if (told.size >= MAX_REMEMBERED) told.clear();
  told.set(kind, { at: now, untold: 0 });
  return last?.untold ?? 0;
}
