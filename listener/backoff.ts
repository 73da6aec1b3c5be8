/**
 * How long to wait before trying again: full jitter, 100 ms doubling to 30 s, for ever; to less than a second where a try
 * costs the other side nothing. The jitter spreads a fleet that
 * lost the same server, https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */

export const FIRST_MS = 100;
export const LONGEST_MS = 30_000;
/** So that changes flow within a second after a server that was down is there again. */
export const KNOCK_MS = 750;

/** The wait, in whole ms, before try number `attempt` (from 0): a random part of 100 ms · 2^attempt, at most of `longestMs`. */
export function backoffMs(attempt: number, random: () => number, longestMs = LONGEST_MS): number {
  return Math.floor(random() * Math.min(longestMs, FIRST_MS * 2 ** attempt));
}

export interface Backoff {
  /** The next wait in ms; each is drawn from twice the span of the one before. */
  next(): number;
  /** Like `next`, but never long: for a server that is not there, which a try does not burden. */
  knock(): number;
  /** A wait in ms drawn from the longest span: for what will not mend itself soon. */
  longest(): number;
  /** It worked: the next wait is short again. Returns how many waits there were. */
  reset(): number;
}

/** @param random draws from [0, 1), such as `Math.random`. */
export function createBackoff(random: () => number): Backoff {
  let attempt = 0;
  return {
    next: () => backoffMs(attempt++, random),
    knock: () => backoffMs(attempt++, random, KNOCK_MS),
    longest() {
      attempt++;
      return Math.floor(random() * LONGEST_MS);
    },
    reset() {
      const waits = attempt;
      attempt = 0;
      return waits;
    },
  };
}
