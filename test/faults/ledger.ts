/**
 * What clients received, compared as it comes. The log of each epoch is put together from what anybody received: number
 * by number, the same for everyone. A client then needs no more than how far it is, and which numbers a filter let
 * through. What the log holds is compared with the truth at the end (verdict.ts).
 */
import type { Change } from "../../protocol/change.ts";
import { parsePosition } from "../../protocol/position.ts";
import { identify } from "./identity.ts";

/** A log as clients have seen it: at each number the identity of the change, 0 where nobody received one. */
export class EpochLog {
  readonly name: string;
  #identities = new Float64Array(4096);
  #length = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** The highest number that somebody received. */
  get length(): number {
    return this.#length;
  }

  at(seq: number): number {
    return this.#identities[seq] ?? 0;
  }

  /** Whether this is the first or the same change with this number. */
  put(seq: number, identity: number): boolean {
    if (seq >= this.#identities.length) {
      const larger = new Float64Array(2 ** Math.ceil(Math.log2(seq + 1)));
      larger.set(this.#identities);
      this.#identities = larger;
    }
    this.#length = Math.max(this.#length, seq);
    const known = this.at(seq);
    if (known === 0) this.#identities[seq] = identity;
    return known === 0 || known === identity;
  }
}

/** A client's stretch within one epoch, from a position that it was given to where it is. */
export interface Span {
  readonly epoch: EpochLog;
  readonly from: number;
  to: number;
  /** What a filtered client received, in order. */
  readonly received: number[];
}

export interface Tally {
  changes: number;
  doubled: number;
  outOfOrder: number;
  gaps: number;
  /** Another change than somebody else received with the same number. */
  differing: number;
  truncated: number;
}

export class Ledger {
  readonly epochs = new Map<string, EpochLog>();
  readonly accounts: Account[] = [];

  open(name: string, watchedBit: number): Account {
    const account = new Account(name, watchedBit, (epoch) => this.#log(epoch));
    this.accounts.push(account);
    return account;
  }

  #log(name: string): EpochLog {
    const known = this.epochs.get(name);
    if (known) return known;
    const fresh = new EpochLog(name);
    this.epochs.set(name, fresh);
    return fresh;
  }
}

/** What one client received. */
export class Account {
  readonly name: string;
  /** Its place in `ALL_WATCHED`; 0 is everything. */
  readonly watchedBit: number;
  readonly spans: Span[] = [];
  readonly resets: { readonly reason: string; readonly at: string | null; readonly position: string }[] = [];
  readonly tally: Tally = { changes: 0, doubled: 0, outOfOrder: 0, gaps: 0, differing: 0, truncated: 0 };
  /** The first things that were wrong, in words. */
  readonly complaints: string[] = [];
  readonly #log: (epoch: string) => EpochLog;

  constructor(name: string, watchedBit: number, log: (epoch: string) => EpochLog) {
    this.name = name;
    this.watchedBit = watchedBit;
    this.#log = log;
  }

  get position(): string | null {
    const span = this.spans.at(-1);
    return span ? `${span.epoch.name}.${span.to}` : null;
  }

  /** Where the stream begins, or begins again after a reset. */
  begin(position: string): void {
    const parsed = parsePosition(position);
    if (!parsed) throw new Error(`not a position: ${position}`);
    this.spans.push({ epoch: this.#log(parsed.epoch), from: parsed.seq, to: parsed.seq, received: [] });
  }

  reset(reason: string, position: string): void {
    this.resets.push({ reason, at: this.position, position });
    this.begin(position);
  }

  take(from: string, position: string, changes: readonly Change[]): void {
    const span = this.spans.at(-1);
    const end = parsePosition(position);
    if (!span || !end) return this.#complain("gaps", `changes up to ${position} before the stream began`);
    const [expected, filtered] = [`${span.epoch.name}.${span.to}`, this.watchedBit !== 0];
    if (from !== expected) this.#complain("gaps", `a batch from ${from}, expected ${expected}`);
    if (end.epoch !== span.epoch.name)
      return this.#complain("gaps", `another epoch without a reset: ${position}`);
    let last = span.to;
    for (const change of changes) {
      const { seq } = change;
      this.tally.changes += 1;
      if (change.truncated) this.tally.truncated += 1;
      if (seq <= span.to) this.#complain("doubled", `change ${seq} again, after ${span.to}`);
      else if (seq <= last) this.#complain("outOfOrder", `change ${seq} after ${last}`);
      else if (!filtered && seq !== last + 1) this.#complain("gaps", `change ${seq} after ${last}`);
      last = Math.max(last, seq);
      if (!span.epoch.put(seq, identify(change)))
        this.#complain(
          "differing",
          `change ${seq} is not what others got: ${JSON.stringify(change).slice(0, 300)}`,
        );
      if (filtered) span.received.push(seq);
    }
    if (last > end.seq || (!filtered && last !== end.seq))
      this.#complain("gaps", `position ${position} after change ${last}`);
    span.to = Math.max(span.to, end.seq);
  }

  #complain(kind: keyof Tally, words: string): void {
    this.tally[kind] += 1;
    if (this.complaints.length < 10) this.complaints.push(`${this.name}: ${words}`);
  }
}
