/** Sockets that are to be closed: their token has run out, or nothing has been heard from them. */
import { CloseCode, TOKEN_EXPIRED } from "../../protocol/close-codes.ts";
import type { Audience } from "./audience.ts";

/** A client that pings (every 25 s) and then is silent for this long is dead. */
const DEAD_AFTER_MS = 90_000;

/**
 * Closes them.
 *
 * @param pingedAt when the socket last pinged, ms since 1970; undefined for one that never did.
 * @returns when the next token runs out, ms since 1970; Infinity for never.
 */
export function sweep(
  audience: Audience,
  pingedAt: (socket: WebSocket) => number | undefined,
  now: number,
): number {
  let next = Infinity;
  for (const client of audience.clients) {
    const { socket, connectedAt, bearer } = client;
    const expiresAt = bearer.expiresAt ?? Infinity;
    const pinged = pingedAt(socket);
    if (expiresAt <= now) {
      // Said in a frame too: readers of events see no close codes, and a close is told to a client only when the
      // connection under it is gone, which takes workerd ten seconds after an alarm.
      const message = "the token has run out: come back with a new one";
      client.send(JSON.stringify({ type: "error", code: TOKEN_EXPIRED, message }));
      socket.close(CloseCode.TOKEN_EXPIRED, "token expired");
      audience.remove(socket);
    } else if (pinged !== undefined && now - Math.max(pinged, connectedAt) > DEAD_AFTER_MS) {
      socket.close(CloseCode.IDLE, "nothing heard from you");
      audience.remove(socket);
    } else next = Math.min(next, expiresAt);
  }
  return next;
}
