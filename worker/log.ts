/** Structured logs of the Worker: one line of JSON an event. */

/**
 * @param event what happened, and what is done about it.
 * @param details more members of the line; no rows, no secrets.
 */
export function logEvent(
  level: "info" | "warn" | "error",
  event: string,
  details: Readonly<Record<string, unknown>> = {},
): void {
  console[level](JSON.stringify({ level, event, ...details }));
}
