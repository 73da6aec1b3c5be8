/** How far clocks are apart. Pure, but for the sampling. */

/** How far a clock is ahead of this machine's, give or take `uncertainty`; ms. */
export interface ClockReading {
  readonly offset: number;
  readonly uncertainty: number;
}

/** A round trip is short once the way is open. */
const SAMPLES = 3;

/**
 * Asks another clock for its time, several times; the shortest round trip says it best.
 *
 * @param ask resolves with ms since 1970 by that clock.
 * @param now the same by ours.
 */
export async function readClock(ask: () => Promise<number>, now: () => number): Promise<ClockReading> {
  let best: ClockReading | null = null;
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const sentAt = now();
    const at = await ask();
    const receivedAt = now();
    const reading = {
      offset: at - (sentAt + receivedAt) / 2,
      uncertainty: (receivedAt - sentAt) / 2,
    };
    if (best === null || reading.uncertainty < best.uncertainty) best = reading;
  }
  if (best === null) throw new Error("no sample");
  return best;
}

/** Certainly further off than `most` ms. */
export function isOff({ offset, uncertainty }: ClockReading, most: number): boolean {
  return Math.abs(offset) - uncertainty > most;
}

/** `3 ms ahead`, `1 h behind`. */
export function describeOffset({ offset, uncertainty }: ClockReading): string {
  const ms = Math.abs(offset);
  const amount =
    ms < 1000
      ? `${Math.round(ms)} ms`
      : ms < 120_000
        ? `${(ms / 1000).toFixed(1)} s`
        : ms < 7_200_000
          ? `${Math.round(ms / 60_000)} min`
          : `${(ms / 3_600_000).toFixed(1)} h`;
  const side = offset < 0 ? "behind" : "ahead";
  return `${amount} ${side} (± ${Math.max(1, Math.round(uncertainty))} ms)`;
}
