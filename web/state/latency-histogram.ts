/** How long changes were under way, over the last minutes: as a histogram, and as the value that half of them keep below. Pure. */

/** Upper ends of the bins, ms; the last bin has none. */
export const BINS_MS = [5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] as const;
const BIN_COUNT = BINS_MS.length + 1;

/** What is looked back on, in slices that are forgotten one by one. */
const SLICE_S = 10;
const SLICES = 30;
/** Of these the median is taken. */
const RECENT = 1000;

export interface LatencyHistogram {
  /** `second` since 1970, `ms` from commit to screen. */
  add(second: number, ms: number): void;
  /** How many fell into each bin during the last five minutes. */
  counts(second: number): number[];
  /** The value that `share` (0 to 1) of the newest 1,000 keep below; null when there are none. */
  quantile(share: number): number | null;
}

export function createLatencyHistogram(): LatencyHistogram {
  const stamps = new Float64Array(SLICES).fill(-1);
  const slices = Array.from({ length: SLICES }, () => new Uint32Array(BIN_COUNT));
  const recent = new Float64Array(RECENT);
  let added = 0;
  return {
    add(second, ms) {
      const stamp = Math.floor(second / SLICE_S);
      const slice = slices[stamp % SLICES];
      if (!slice) return;
      if (stamps[stamp % SLICES] !== stamp) {
        stamps[stamp % SLICES] = stamp;
        slice.fill(0);
      }
      const bin = binOf(ms);
      slice[bin] = (slice[bin] ?? 0) + 1;
      recent[added++ % RECENT] = ms;
    },
    counts(second) {
      const newest = Math.floor(second / SLICE_S);
      const counts = Array.from({ length: BIN_COUNT }, () => 0);
      slices.forEach((slice, index) => {
        const stamp = stamps[index] ?? -1;
        if (stamp <= newest - SLICES || stamp > newest) return;
        slice.forEach((count, bin) => (counts[bin] = (counts[bin] ?? 0) + count));
      });
      return counts;
    },
    quantile(share) {
      const count = Math.min(added, RECENT);
      if (count === 0) return null;
      const sorted = recent.slice(0, count).toSorted();
      return sorted[Math.min(count - 1, Math.floor(share * count))] ?? null;
    },
  };
}

/** The bin whose upper end is the first that is not below `ms`. */
function binOf(ms: number): number {
  const bin = BINS_MS.findIndex((end) => ms <= end);
  return bin < 0 ? BIN_COUNT - 1 : bin;
}

/** `8 ms`, `1.2 s`: three figures at most. */
export function milliseconds(ms: number): string {
  if (ms < 1) return "under 1 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}
