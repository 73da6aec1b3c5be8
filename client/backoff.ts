/** The first window of the backoff, in milliseconds. */
export const BACKOFF_MS = 500;
/** The widest one. */
export const BACKOFF_MAX_MS = 30_000;

/**
 * How long to wait after the `attempt`-th failure in a row (from 1): anywhere within a window that doubles from 500 ms to
 * 30 s. Full jitter, because a deploy disconnects everyone in the same instant.
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 *
 * @param random a number in [0, 1).
 */
export function backoffMs(attempt: number, random: number): number {
  return random * Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** (attempt - 1));
}
