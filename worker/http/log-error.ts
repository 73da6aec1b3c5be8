/** Errors in the log, without what must not be read in a log. */
import { logEvent } from "../log.ts";

/**
 * Writes one line about an error to the error log.
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
  logEvent("error", event, {
    ...fields,
    error: name,
    message: withoutCredentials(message),
    ...(cause instanceof Error && cause.message !== message && { cause: withoutCredentials(cause.message) }),
    stack: withoutCredentials(stack),
  });
}

/** Connection strings lose user and password; drivers put them whole into some of their messages. */
export function withoutCredentials(text: string): string {
  return text.replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^/?#\s]*@/gi, "$1***@");
}
