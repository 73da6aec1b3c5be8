/** Frames as text, where an object would cost too much. Nothing here needs a schema, so that clients stay small. */

/** Sent by clients as a bare string; the platform answers it without waking the hub. */
export const PING = "ping";

/** The answer to `ping`: the position up to which the hub has sent everything to a client that keeps up. */
export function formatPong(position: string): string {
  return `pong ${position}`;
}

/** The position in a `pong`; null when the text is none. */
export function parsePong(text: string): string | null {
  return text.startsWith("pong ") ? text.slice("pong ".length) : null;
}

/** A client frame longer than this (in characters) is refused. */
export const MAX_CLIENT_FRAME = 16_384;

/** The text of a `changes` frame around changes that are encoded already, so that a batch is encoded once for all. */
export function changesFrame(from: string, position: string, changes: string): string {
  return `{"type":"changes","from":"${from}","position":"${position}","changes":[${changes}]}`;
}
