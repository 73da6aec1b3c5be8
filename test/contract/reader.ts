/** A subscriber that keeps what it is given, in order, and can be waited for. */
import type { Change } from "../../protocol/change.ts";
import { parsePosition } from "../../protocol/position.ts";
import type { Feed } from "./source.ts";

export class Reader {
  readonly changes: Change[] = [];
  readonly resets: { reason: string; position: string }[] = [];
  readonly feed: Feed;
  readonly #waiting = new Set<() => void>();
  /** Where each batch began and ended, since the last reset. */
  #broken: string | null = null;
  #end: string | null = null;

  constructor(feed: Feed) {
    this.feed = feed;
    feed.on("changes", ({ from, position, changes }) => {
      if (this.#end !== null && this.#end !== from) this.#broken = `a batch from ${from} after ${this.#end}`;
      this.#end = position;
      for (const change of changes) this.changes.push(change);
      this.#look();
    });
    feed.on("reset", ({ reason, position }) => {
      this.resets.push({ reason, position });
      this.#end = position;
      this.#look();
    });
    feed.on("welcome", () => this.#look());
  }

  /** Where it stands; throws before the stream has begun. */
  get position(): string {
    if (this.feed.position === null) throw new Error("the stream has not begun");
    return this.feed.position;
  }

  /** Resolves when the stream has begun: what is committed from now on will come. */
  async opened(): Promise<this> {
    await this.until(() => this.feed.position !== null);
    return this;
  }

  /** Resolves when `condition` holds, looked at after every event. The test's own time limit ends it. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
      });
    }
  }

  /** Resolves when so many changes have come. */
  count(changes: number): Promise<void> {
    return this.until(() => this.changes.length >= changes);
  }

  close(): void {
    this.feed.close();
  }

  /** What is wrong with the numbers of what has come: null when they follow one another from `since` on. */
  fault(since: string): string | null {
    if (this.#broken !== null) return this.#broken;
    let expected = parsePosition(since)?.seq ?? Number.NaN;
    for (const { seq } of this.changes) {
      expected += 1;
      if (seq !== expected) return `change ${seq} where ${expected} should be`;
    }
    return null;
  }

  #look(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}
