/** How far the database's clock is from ours: by it alone can be told how long a change was under way. Pure. */

/** A question and its answer: all ms since 1970, the middle one by the server's clock, somewhere between the other two. */
export interface ClockSample {
  readonly sentAt: number;
  readonly serverTime: number;
  readonly receivedAt: number;
}

/** Clocks drift: a sample that is older gives way to the next, however good it was. */
const KEEP_MS = 600_000;

/**
 * The better of two samples: the one with the shorter round trip, of which half is the most that it can be wrong by.
 * (The rule of NTP's clock filter, RFC 5905, section 10.)
 */
export function betterSample(held: ClockSample | null, fresh: ClockSample): ClockSample | null {
  const { sentAt, serverTime, receivedAt } = fresh;
  // A time that cannot be read, or a clock of ours that was set back meanwhile.
  if (!Number.isFinite(serverTime) || receivedAt < sentAt) return held;
  if (held === null || receivedAt - held.receivedAt > KEEP_MS) return fresh;
  return receivedAt - sentAt <= held.receivedAt - held.sentAt ? fresh : held;
}

/**
 * How long ago that was, in ms; never negative: two clocks that are set by one sample may cross by half its round trip.
 *
 * @param timestamp of a change, by the server's clock.
 * @param now by ours, ms since 1970.
 */
export function ageOf(timestamp: string, now: number, sample: ClockSample | null): number | null {
  if (sample === null) return null;
  const offset = sample.serverTime - (sample.sentAt + sample.receivedAt) / 2;
  const age = now + offset - Date.parse(timestamp);
  return Number.isFinite(age) ? Math.max(0, age) : null;
}
