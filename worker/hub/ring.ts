/** The Hub's recent batches, in memory and bounded: what slow and returning clients are served from before the log is asked. */
import { cut, type Batch } from "../change-log/history.ts";

export class Ring {
  readonly #maxChars: number;
  #batches: Batch[] = [];
  #chars = 0;

  /** @param maxChars how much text may be kept; one char is one or two bytes of memory. */
  constructor(maxChars: number) {
    this.#maxChars = maxChars;
  }

  /** Adds a batch that continues the last one; one that does not starts the ring anew. */
  add(batch: Batch): void {
    const last = this.#batches.at(-1);
    if (last !== undefined && (last.epoch !== batch.epoch || last.to !== batch.from)) this.clear();
    this.#batches.push(batch);
    this.#chars += batch.text.length;
    while (this.#chars > this.#maxChars && this.#batches.length > 1) {
      this.#chars -= this.#batches.shift()?.text.length ?? 0;
    }
  }

  /** The next changes after `seq`, at most one batch of them; null when they are not here. */
  after(seq: number): Batch | null {
    if ((this.#batches[0]?.from ?? Number.POSITIVE_INFINITY) > seq) return null;
    const batch = this.#batches.find(({ to }) => to > seq);
    return batch === undefined ? null : cut(batch, seq);
  }

  clear(): void {
    this.#batches = [];
    this.#chars = 0;
  }
}
