/** Who this client is: a token, or a function that gives one, asked anew for each connection. */
import { CloseCode } from "../protocol/close-codes.ts";
import type { Connection, OnClosed } from "./connection.ts";

export type Token = string | (() => string | Promise<string>);

/** What a refusal by HTTP status means, in the words of the close codes; everything else is worth another try. */
const CODES: Readonly<Record<number, number>> = {
  401: CloseCode.TOKEN_EXPIRED,
  403: CloseCode.FORBIDDEN,
  406: CloseCode.PROTOCOL,
  429: CloseCode.TOO_MANY,
};

/** The stream ended or could not be had, and nothing says more. */
export const NO_CODE = 0;

/** The header with the token; none without one. Rejects with what the application's function throws. */
export async function authorization(token: Token | undefined): Promise<Record<string, string>> {
  if (token === undefined) return {};
  return { authorization: `Bearer ${typeof token === "string" ? token : await token()}` };
}

/** However long a server (or a proxy) wants us to stay away: what is shown is old until then. */
const RETRY_AFTER_MAX_S = 300;

/** Why there is no stream, in the words of the problem that came instead of it, when it is one; and for how long, in ms. */
export async function refusal(what: string, response: Response): Promise<Parameters<OnClosed>> {
  const code = CODES[response.status] ?? NO_CODE;
  // A date, which the header may also be, counts as nothing said.
  const afterMs = 1000 * Math.min(RETRY_AFTER_MAX_S, Number(response.headers.get("retry-after")) || 0);
  const status = `no ${what} but HTTP ${response.status}`;
  try {
    const { detail, title } = (await response.json()) as { detail?: string; title?: string };
    return [code, `${status}: ${detail ?? title ?? ""}`, afterMs];
  } catch {
    return [code, status, afterMs]; // not JSON: a proxy's page, which says nothing to us
  }
}

/**
 * A connection that begins with a ticket: browsers send no headers with a WebSocket, and a token does not belong into an
 * address, so it buys a ticket, good once, that does.
 *
 * @param address of `/api/ticket`.
 * @param open opens the connection itself with the ticket.
 */
export function openWithTicket(
  fetch: typeof globalThis.fetch,
  address: string,
  token: Token,
  open: (ticket: string) => Connection,
  onClosed: OnClosed,
): Connection {
  const abort = new AbortController();
  let connection: Connection | null = null;

  const buy = async (): Promise<void> => {
    const headers = await authorization(token);
    const response = await fetch(address, { method: "POST", headers, signal: abort.signal });
    if (!response.ok) {
      const why = await refusal("ticket", response);
      if (!abort.signal.aborted) onClosed(...why);
      return;
    }
    const { ticket } = (await response.json()) as { ticket: string };
    if (!abort.signal.aborted) connection = open(ticket);
  };

  buy().catch((error: unknown) => {
    if (!abort.signal.aborted) onClosed(NO_CODE, `no ticket: ${words(error)}`);
  });
  return {
    send: (text) => connection?.send(text),
    close: () => {
      abort.abort();
      connection?.close();
    },
  };
}

/** Node's fetch hides what happened in `cause`. */
export function words(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message !== "" ? error.cause.message : error.message;
}
