/** Errors in the log, without what must not be read in a log. */
import { logEvent } from "../log.ts";

/**
 * Writes one line about an error to the error log; of a fault that lasts, one a second (worker/log.ts).
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
  const details = {
    ...fields,
    error: name,
    message: withoutCredentials(message),
    ...(cause instanceof Error && cause.message !== message && { cause: withoutCredentials(cause.message) }),
    stack: withoutCredentials(stack),
  };
  logEvent("error", event, details, `${event} ${code === "internal" ? message : String(code)}`);
}

/** Connection strings lose user and password; drivers put them whole into some of their messages. */
export function withoutCredentials(text: string): string {
  return text.replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^/?#\s]*@/gi, "$1***@");
}
