/**
 * How fast a client takes in what it is sent, and so how much of it makes a frame while it is behind: what it takes in within
 * a tenth of a second, and never so much that a link of 1 kB/s does not complete a frame before its client takes the
 * connection for dead. Pure.
 */
export interface Pace {
  /** Since when something has been under way to it, or when it last acknowledged; ms. */
  readonly since: number;
  /** The size of its next frames, in characters. */
  readonly pieceChars: number;
}

const LEAST_CHARS = 8192;
const MOST_CHARS = 131_072;
const FRAME_MS = 100;

/** A client of which nothing is known. */
export const UNTRIED: Pace = { since: 0, pieceChars: LEAST_CHARS };

/** Something is sent while nothing is under way. */
export function begun(pace: Pace, now: number): Pace {
  return { ...pace, since: now };
}

/** It has acknowledged so many characters. Sizes are powers of two, so that clients that are alike share their frames. */
export function tookIn(pace: Pace, chars: number, now: number): Pace {
  const fits = (chars / Math.max(1, now - pace.since)) * FRAME_MS;
  const size = 2 ** Math.floor(Math.log2(Math.max(1, fits)));
  return { since: now, pieceChars: Math.min(MOST_CHARS, Math.max(LEAST_CHARS, size)) };
}
