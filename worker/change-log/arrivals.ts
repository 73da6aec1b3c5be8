/** When the latest batches came and who brought them: for who times the way of a change (worker/probe). */

/** A listener's POST, or the log itself, which looks into the outbox when there is no listener. */
export type Carrier = "listener" | "log";

export interface Arrival {
  /** By the log's clock, ms since 1970. */
  readonly storedAt: number;
  /** By the database's clock, in the form of a change's timestamp; null from a listener that does not say. */
  readonly readAt: string | null;
  readonly carrier: Carrier;
}

/** Asked for within seconds, so a few are enough, and memory is. */
const KEPT = 500;

export class Arrivals {
  #recent: (Arrival & { readonly from: number; readonly to: number })[] = [];

  add({ from, to }: { from: number; to: number }, arrival: Arrival): void {
    this.#recent.push({ ...arrival, from, to });
    if (this.#recent.length > 2 * KEPT) this.#recent = this.#recent.slice(-KEPT);
  }

  /** Of the batch that has the change with this number; null when that is too long ago. */
  find(seq: number): Arrival | null {
    const found = this.#recent.findLast(({ from, to }) => from < seq && seq <= to);
    if (found === undefined) return null;
    const { storedAt, readAt, carrier } = found;
    return { storedAt, readAt, carrier };
  }

  /** A new epoch: numbers begin anew. */
  clear(): void {
    this.#recent = [];
  }
}
