/**
 * When rows are loaded, and what becomes of what the stream brings meanwhile. Loads after the first welcome, and again after
 * each reset (spread out, when there are many clients), after a failure (with backoff), and when a row was too large to travel.
 */
import type { Change } from "../../protocol/change.ts";
import { parseSnapshot } from "../../protocol/snapshot.ts";
import { backoffMs, spreadMs } from "../backoff.ts";
import type { Env } from "../env.ts";
import { observable } from "../observable.ts";
import type { Observable } from "../observable.ts";
import type { Key, RowChange, TableShape } from "../rows.ts";
import type { CollectionClient, CollectionState, Load } from "./api.ts";
import { Pages } from "./pages.ts";

/** Rows to be shown from now on. */
export interface Filled<R> {
  readonly pages: Pages<R>;
  /** The keys of the page that has come; null when all rows are others. */
  readonly keys: Iterable<Key> | null;
  /** What the stream has changed in them since they were loaded. */
  readonly done: readonly RowChange<R>[];
  /** Changes that had been kept until now. */
  readonly kept: readonly Change[];
}

interface Dependencies<R> {
  readonly shape: TableShape<R>;
  readonly load: Load<R>;
  readonly client: CollectionClient;
  readonly clients: () => number;
  readonly show: (filled: Filled<R>) => void;
  readonly env: Pick<Env, "now" | "random" | "setTimeout" | "clearTimeout">;
}

export class Loader<R> {
  readonly #deps: Dependencies<R>;
  readonly #state = observable<CollectionState>("loading");
  /** What is shown; null before the first page. */
  #pages: Pages<R> | null = null;
  /** What comes while it is not applied to anything yet: until the first page, and through a reload. */
  #kept: Change[] | null = [];
  /** Loads are told apart by number: one that was overtaken is forgotten. */
  #generation = 0;
  #failures = 0;
  #retry: unknown = null;

  constructor(deps: Dependencies<R>) {
    this.#deps = deps;
  }

  get state(): Observable<CollectionState> {
    return this.#state.value;
  }

  /** Loads, unless that has been done. */
  begin(): void {
    if (this.#generation === 0) this.reload();
  }

  reload(): void {
    const mine = ++this.#generation;
    this.#cancelRetry();
    this.#kept ??= [];
    this.#say(this.#pages === null ? "loading" : "reloading");
    this.#fill(mine).catch(() => {
      if (mine !== this.#generation) return; // overtaken by another load, or closed
      this.#kept = []; // the next load is asked for later than all of it came, and shows it
      this.#say("failed");
      this.#reloadLater(++this.#failures);
    });
  }

  /** After a reset: what came before it is of no use, the new snapshot shows it, or another history. */
  restart(): void {
    this.#kept = [];
    const wait = spreadMs(this.#deps.env.random(), this.#deps.clients());
    if (wait === 0) return this.reload();
    // Everybody is told in the same moment. A load under way is forgotten, it may be of the other history.
    this.#generation += 1;
    this.#cancelRetry();
    this.#retry = this.#deps.env.setTimeout(() => this.reload(), wait);
    this.#say(this.#pages === null ? "loading" : "reloading");
  }

  /** Takes in what the stream has brought of the table. Returns what it did; null when it is kept for later. */
  take(changes: readonly Change[]): readonly RowChange<R>[] | null {
    if (this.#kept || !this.#pages) {
      for (const change of changes) this.#kept?.push(change);
      return null;
    }
    const { done, isIncomplete } = this.#pages.apply(changes);
    if (isIncomplete) this.#reloadLater(1);
    return done;
  }

  close(): void {
    this.#generation = Infinity;
    this.#cancelRetry();
  }

  /** Page after page. The first time they are shown as they come, later all at once: until then the rows of before stay. */
  async #fill(mine: number): Promise<void> {
    const { load, shape, client, show, env } = this.#deps;
    const isFirst = this.#pages === null;
    const pages = new Pages(shape);
    let [done, kept]: [readonly RowChange<R>[], readonly Change[]] = [[], []];
    let isIncomplete = false;
    for (let after: string | undefined; !pages.isComplete;) {
      const sentAt = env.now();
      const { rows, snapshot, next, timestamp } = await load(after);
      const taken = parseSnapshot(snapshot);
      if (mine !== this.#generation) return;
      if (timestamp !== undefined)
        client.clock?.({ sentAt, receivedAt: env.now(), serverTime: Date.parse(timestamp) });
      const fresh = this.#kept ?? [];
      if (this.#pages !== pages) [kept, this.#kept] = [kept.concat(fresh), []];
      const applied = this.#pages === pages ? [] : pages.apply(fresh).done;
      const page = pages.add(rows, taken, next === undefined);
      done = done.concat(applied, page.done);
      isIncomplete ||= page.isIncomplete;
      after = next;
      if (!isFirst && !pages.isComplete) continue;
      const keys = this.#pages === pages ? page.keys : null;
      [this.#pages, this.#kept, this.#failures] = [pages, null, 0];
      show({ pages, keys, done, kept });
      [done, kept] = [[], []];
      this.#say(pages.isComplete ? "ready" : "filling");
    }
    if (isIncomplete) this.#reloadLater(1);
  }

  /** Spread out: a row too large to travel makes every client ask for it. */
  #reloadLater(attempt: number): void {
    const { env, clients } = this.#deps;
    this.#retry ??= env.setTimeout(() => this.reload(), backoffMs(attempt, env.random(), clients()));
  }

  #cancelRetry(): void {
    if (this.#retry !== null) this.#deps.env.clearTimeout(this.#retry);
    this.#retry = null;
  }

  #say(state: CollectionState): void {
    this.#state.set(state);
  }
}
