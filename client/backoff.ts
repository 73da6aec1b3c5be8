/** The first window of the backoff, in milliseconds. */
export const BACKOFF_MS = 500;
/** The widest one. */
export const BACKOFF_MAX_MS = 30_000;

/** As many clients are let come back in a second, about: what a Durable Object takes. */
const RETURNS_PER_SECOND = 1000;

/**
 * How long to wait after the `attempt`-th failure in a row (from 1): anywhere within a window that doubles from 500 ms to
 * 30 s. Full jitter, because a deploy disconnects everyone in the same instant. The more there are to come back, the
 * wider the first windows are: half a second is no spread for ten thousand.
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 *
 * @param random a number in [0, 1).
 * @param clients how many were connected, as far as is known.
 */
export function backoffMs(attempt: number, random: number, clients = 0): number {
  const window = Math.max(BACKOFF_MS * 2 ** (attempt - 1), (1000 * clients) / RETURNS_PER_SECOND);
  return random * Math.min(BACKOFF_MAX_MS, window);
}

/** As many clients are let load their rows anew in a second, about: each load is a query, where a return is only a socket. */
const LOADS_PER_SECOND = 200;
/** What is shown is old until then. */
const SPREAD_MAX_MS = 10_000;

/**
 * How long to wait with something that every client has just been told to do: not at all when there is but one.
 *
 * @param random a number in [0, 1).
 * @param clients how many there are, as far as is known.
 */
export function spreadMs(random: number, clients: number): number {
  return random * Math.min(SPREAD_MAX_MS, (1000 * Math.max(0, clients - 1)) / LOADS_PER_SECOND);
}
