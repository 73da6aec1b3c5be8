/**
 * Recent batches, in memory and bounded: of a Hub, what slow and returning clients are served from before the log is asked; of
 * the log, what Hubs are sent without reading it back.
 */
import { cut, SEPARATOR, type Batch } from "./history.ts";

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

  /**
   * What follows `seq`: the next batch, and as many after it as fit `maxChars`, as one; null when it is not here, or nothing
   * follows.
   */
  after(seq: number, maxChars = 0): Batch | null {
    if ((this.#batches[0]?.from ?? Number.POSITIVE_INFINITY) > seq) return null;
    const at = this.#batches.findIndex(({ to }) => to > seq);
    const first = this.#batches[at];
    if (first === undefined) return null;
    const { epoch, from, to, text } = cut(first, seq);
    const texts = [text];
    let [chars, last] = [text.length, to];
    for (const next of this.#batches.slice(at + 1)) {
      chars += next.text.length;
      if (chars > maxChars) break;
      texts.push(next.text);
      last = next.to;
    }
    return { epoch, from, to: last, text: texts.join(SEPARATOR) };
  }

  clear(): void {
    this.#batches = [];
    this.#chars = 0;
  }
}
