/**
 * When a write that has been answered is done with: the stream has brought it, or the rows have been loaded in a snapshot that
 * shows it. What is outside of what is streamed comes by neither: after a while on a live stream it will not come any more.
 */
import type { Env } from "../env.ts";
import type { Key } from "../rows.ts";
import { SEEN_MAX } from "../seen.ts";
import type { Outbox, Write } from "./outbox.ts";
import { Recent } from "./recent.ts";

/** A change is on its way for much less. */
const CONFIRM_MS = 30_000;

interface Dependencies<R> {
  readonly outbox: () => Outbox<R>;
  readonly drop: (done: Outbox<R>) => void;
  readonly isLive: () => boolean;
  readonly env: Pick<Env, "now" | "setTimeout" | "clearTimeout">;
}

export class Confirmation<R> {
  readonly #deps: Dependencies<R>;
  readonly #recent = new Recent(SEEN_MAX);
  #sweep: unknown = null;

  constructor(deps: Dependencies<R>) {
    this.#deps = deps;
  }

  /** Whether the stream was faster than the answer. */
  hasSeen(xid: string): boolean {
    return this.#recent.has(xid);
  }

  /** The stream has brought what these transactions did. */
  saw(xids: Iterable<string>): void {
    const brought = new Set(xids);
    for (const xid of brought) this.#recent.add(xid);
    this.#drop((_, { xid }) => brought.has(xid));
  }

  /** The rows have been loaded; asked is whether the row was loaded in a snapshot that shows what this transaction did. */
  loaded(shows: (key: Key, xid: string) => boolean): void {
    this.#drop(({ key }, { xid }) => shows(key, xid));
  }

  /** Looks again in a while, as long as there is something to confirm. */
  sweepLater(): void {
    const { outbox, isLive, env } = this.#deps;
    if (this.#sweep !== null || outbox().every(({ answer }) => answer === null)) return;
    this.#sweep = env.setTimeout(() => {
      this.#sweep = null;
      const due = env.now() - CONFIRM_MS;
      if (isLive()) this.#drop((_, { at }) => at <= due);
      this.sweepLater();
    }, CONFIRM_MS);
  }

  close(): void {
    this.#deps.env.clearTimeout(this.#sweep);
  }

  #drop(isDone: (write: Write<R>, answer: NonNullable<Write<R>["answer"]>) => boolean): void {
    const done = this.#deps.outbox().filter((write) => write.answer !== null && isDone(write, write.answer));
    if (done.length > 0) this.#deps.drop(done);
  }
}
