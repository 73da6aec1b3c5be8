/** Errors in the log, without what must not be read in a log. */
import { logEvent } from "../log.ts";

/** The same again within this time is counted, and not told. */
const QUIET_MS = 1000;
/** Of so many different ones it is remembered when they were last told. */
const MAX_REMEMBERED = 100;
const told = new Map<string, { at: number; untold: number }>();

/**
 * Writes one line about an error to the error log; of a fault that lasts, one a second from each isolate, with how many
 * were left `untold`.
 *
 * @param event what happened, as a word to search for: `request_failed`.
 * @param fields more members of the line.
 */
export function logError(
  event: string,
  error: unknown,
  fields: Readonly<Record<string, unknown>> = {},
): void {
  const { name, message, stack = "", cause } = error instanceof Error ? error : new Error(String(error));
  // A database in trouble fails in several words at once; what nobody foresaw is told apart by its own.
  const { code = "internal" } = fields;
  const untold = hold(`${event} ${code === "internal" ? message : String(code)}`);
  if (untold === null) return;
  logEvent("error", event, {
    ...fields,
    ...(untold > 0 && { untold }),
    error: name,
    message: withoutCredentials(message),
    ...(cause instanceof Error && cause.message !== message && { cause: withoutCredentials(cause.message) }),
    stack: withoutCredentials(stack),
  });
}

/** How many lines of this kind were held back since the last; null when this one is held back too. */
function hold(key: string): number | null {
  const now = Date.now();
  const last = told.get(key);
  if (last !== undefined && now - last.at < QUIET_MS) {
    last.untold += 1;
    return null;
  }
  if (told.size >= MAX_REMEMBERED) told.clear();
  told.set(key, { at: now, untold: 0 });
  return last?.untold ?? 0;
}

/** Connection strings lose user and password; drivers put them whole into some of their messages. */
export function withoutCredentials(text: string): string {
  return text.replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^/?#\s]*@/gi, "$1***@");
}
