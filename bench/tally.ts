/** Counting what arrives: how late, and each change once. Pure. */

const BUCKETS_PER_MS = 20;
const MAX_MS = 60_000;

/** Latencies in buckets of 0.05 ms: any number of samples in 5 MB. */
export class Histogram {
  readonly #buckets = new Uint32Array(BUCKETS_PER_MS * MAX_MS + 1);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(ms: number): void {
    const bucket = Math.round(Math.min(Math.max(ms, 0), MAX_MS) * BUCKETS_PER_MS);
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
    this.#count += 1;
  }

  /** The latency in ms that a share `p` (0 to 1) of the samples does not exceed; NaN without samples. */
  percentile(p: number): number {
    let left = Math.max(1, Math.ceil(this.#count * p));
    for (let bucket = 0; this.#count > 0 && bucket < this.#buckets.length; bucket += 1) {
      left -= this.#buckets[bucket] ?? 0;
      if (left <= 0) return bucket / BUCKETS_PER_MS;
    }
    return Number.NaN;
  }
}

/** Which of the numbers 0, 1, 2 … of each writer have been seen. */
export class Seen {
  readonly #writers: Uint8Array[] = [];

  /** Notes one; false when it had been seen already. */
  take(writer: number, n: number): boolean {
    const byte = n >> 3;
    let bits = this.#writers[writer] ?? new Uint8Array(256);
    if (byte >= bits.length) {
      const grown = new Uint8Array(Math.max(byte + 1, bits.length * 2));
      grown.set(bits);
      bits = grown;
    }
    this.#writers[writer] = bits;
    const mask = 1 << (n & 7);
    const value = bits[byte] ?? 0;
    bits[byte] = value | mask;
    return (value & mask) === 0;
  }
}

/** The middle value; the mean of the two middle ones of an even number. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const [upper, lower] = [sorted[half], sorted[sorted.length % 2 === 0 ? half - 1 : half]];
  return upper === undefined || lower === undefined ? Number.NaN : (upper + lower) / 2;
}
