/** Why a socket was closed by the server, and what the client does about it. 4000 to 4999 are the application's own. */
export const CloseCode = {
  /** This hub is about to go: come back at once, spread out, with your position. */
  COME_BACK: 4000,
  /** A frame that is not JSON or not a message of this protocol: mend the client; it may come back. */
  BAD_FRAME: 4400,
  /** The token has run out: fetch a new one, then come back. */
  TOKEN_EXPIRED: 4401,
  /** Not allowed: do not come back with the same token. */
  FORBIDDEN: 4403,
  /** The protocol version that was asked for is not spoken here: do not come back, update. */
  PROTOCOL: 4406,
  /** Nothing heard from this client for too long: it was taken for dead. Come back. */
  IDLE: 4408,
  /** A frame larger than the server reads: mend the client. */
  FRAME_TOO_LARGE: 4413,
  /** Too many sockets here: come back later. */
  TOO_MANY: 4429,
} as const;
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

/** The code of the `error` that goes before a close with 4401, and of the problem that answers an expired token. */
export const TOKEN_EXPIRED = "token_expired";

const FATAL: ReadonlySet<number> = new Set([CloseCode.FORBIDDEN, CloseCode.PROTOCOL]);

/** Whether coming back with the same token and the same code can never succeed. */
export function isFatalClose(code: number): boolean {
  return FATAL.has(code);
}
