/**
 * Writes of a collection that are not confirmed yet: shown at once, sent one after the other in the order in which they were
 * made, kept while the server cannot be reached, and forgotten when the stream has brought them, or the server refused.
 * The list is that of outbox.ts; here is what happens around it.
 */
import type { Env } from "../env.ts";
import type { Observable } from "../observable.ts";
import type { Key } from "../rows.ts";
import { SEEN_MAX } from "../seen.ts";
import { readKept, writeKept } from "./kept-writes.ts";
import type { WriteStorage } from "./kept-writes.ts";
import {
  createOf,
  nextWrite,
  refusedWith,
  withAnswer,
  withAttempt,
  type Outbox,
  type Write,
} from "./outbox.ts";
import { isOverlaid, overlaid } from "./overlay.ts";
import { Pending } from "./pending.ts";
import { Recent } from "./recent.ts";
import { Sender } from "./sender.ts";
import type { PendingWrite, Refusal, WriteCalls, WriteKind, WriteRefused } from "./write.ts";

interface Dependencies<R> {
  readonly calls: WriteCalls<R>;
  readonly storage: WriteStorage | undefined;
  readonly keyOf: (row: R) => Key;
  /** The row as it is shown. */
  readonly shown: (key: Key) => R | undefined;
  readonly server: (key: Key) => R | undefined;
  /** Whether the stream would bring it. */
  readonly isStreamed: (row: R) => boolean;
  /** The writes of these rows have changed: they are to be laid anew, and everyone told. */
  readonly changed: (keys: readonly Key[]) => void;
  readonly refused: (refusal: Refusal<R>) => void;
  readonly reach: () => "never" | "unknown" | "live";
  readonly clients: () => number;
  readonly env: Pick<Env, "now" | "random" | "setTimeout" | "clearTimeout">;
}

/** What has been answered and does not come over a live stream within so much time will not come. */
const CONFIRM_MS = 30_000;

export class Writes<R> {
  readonly #deps: Dependencies<R>;
  readonly #pending = new Pending<R>();
  readonly #recent = new Recent(SEEN_MAX);
  readonly #sender: Sender<R>;
  /** Rows that were created here: from the key of the draft to their own. */
  readonly #aliases = new Map<Key, Key>();
  #outbox: Outbox<R> = [];
  #drafts = 0;
  #sweep: unknown = null;
  #isRestored: boolean;

  constructor(deps: Dependencies<R>) {
    this.#deps = deps;
    const { calls, reach, clients, env, storage } = deps;
    this.#sender = new Sender<R>({
      next: (held) => (this.#isRestored ? nextWrite(this.#outbox, held) : undefined),
      send: async ({ kind, fields, base, id }) => {
        if (kind === "create") return calls.create(fields, id);
        if (kind === "update") return calls.update(base, fields, id);
        return { data: null, ...(await calls.remove(base, id)) };
      },
      sending: ({ id }) => {
        this.#outbox = withAttempt(this.#outbox, id);
        this.#pending.publish(this.#outbox);
      },
      answered: (write, answer) => this.#answered(write.id, answer),
      refused: (write, error) => this.#refused(write, error),
      reach,
      clients,
      env,
    });
    this.#isRestored = storage === undefined;
    if (storage !== undefined) void this.#restore(storage);
  }

  get pending(): Observable<readonly PendingWrite<R>[]> {
    return this.#pending.value;
  }

  create(fields: Partial<R>): PendingWrite<R> {
    const draft = this.#deps.calls.draft(fields, ++this.#drafts);
    return this.#add("create", this.#deps.keyOf(draft), fields, draft);
  }

  /** @throws {RangeError} when there is no such row. */
  update(key: Key, fields: Partial<R>): PendingWrite<R> {
    return this.#add("update", this.#keyOf(key), fields, this.#rowOf(key));
  }

  /** @throws {RangeError} when there is no such row. */
  remove(key: Key): PendingWrite<R> {
    return this.#add("remove", this.#keyOf(key), {}, this.#rowOf(key));
  }

  /** Whether the row is shown otherwise than the server has it. */
  isOverlaid(key: Key): boolean {
    return isOverlaid(this.#outbox, key);
  }

  overlaid(key: Key, row: R | undefined): R | undefined {
    return overlaid(this.#outbox, key, row);
  }

  /** The server can be reached again. */
  retryNow(): void {
    this.#sender.retryNow();
  }

  /** The stream has brought a row that was not there before. */
  came(key: Key, row: R): void {
    const create = createOf(this.#outbox, row);
    if (create === undefined) return;
    const hiding = { ...create, twin: key };
    this.#outbox = this.#outbox.map((write) => (write === create ? hiding : write));
    this.#changed([hiding]);
  }

  /** The stream has brought what these transactions did. */
  saw(xids: Iterable<string>): void {
    const brought = new Set(xids);
    for (const xid of brought) this.#recent.add(xid);
    this.#drop(this.#outbox.filter(({ answer }) => answer !== null && brought.has(answer.xid)));
  }

  /** The rows have been loaded; asked is whether the row was loaded in a snapshot that shows what this transaction did. */
  loaded(shows: (key: Key, xid: string) => boolean): void {
    this.#drop(this.#outbox.filter(({ key, answer }) => answer !== null && shows(key, answer.xid)));
  }

  /** What has not been answered stays in the storage. */
  close(): void {
    this.#sender.close();
    this.#deps.env.clearTimeout(this.#sweep);
  }

  #keyOf(key: Key): Key {
    return this.#aliases.get(key) ?? key;
  }

  /** As the server has it, or as it will be created. */
  #rowOf(key: Key): R {
    const own = this.#keyOf(key);
    const shown = this.#deps.shown(own);
    if (shown === undefined) throw new RangeError(`there is no row ${key}`);
    return this.#deps.server(own) ?? shown;
  }

  #add(kind: WriteKind, key: Key, fields: Partial<R>, base: R): PendingWrite<R> {
    const since = this.#deps.env.now();
    const write: Write<R> = { id: randomId(), kind, key, fields, base, since, ...UNSENT };
    this.#outbox = [...this.#outbox, write];
    this.#keep();
    this.#changed([write]);
    this.#sender.wake();
    return this.#pending.show(write);
  }

  #answered(id: string, { data, xid }: { readonly data: R | null; readonly xid: string }): void {
    const { env, keyOf, isStreamed } = this.#deps;
    const find = () => this.#outbox.find((write) => write.id === id);
    const before = find(); // while it was under way, its twin may have come
    this.#outbox = withAnswer(this.#outbox, id, { data, xid, at: env.now() }, keyOf);
    const after = find();
    if (before === undefined || after === undefined) return;
    if (after.key !== before.key) this.#aliases.set(before.key, after.key);
    this.#pending.resolve(after.id, data);
    this.#keep();
    const isOutside = after.kind === "create" && data !== null && !isStreamed(data);
    if (isOutside || this.#recent.has(xid)) this.#outbox = this.#outbox.filter((write) => write !== after);
    this.#changed([before, after]);
    this.#sweepLater();
  }

  #refused(write: Write<R>, error: WriteRefused): void {
    const gone = refusedWith(this.#outbox, write.id);
    const refusals = gone.map((each) => ({ write: this.#pending.show(each), error }));
    for (const { id } of gone) this.#pending.reject(id, error);
    this.#drop(gone);
    this.#keep();
    for (const refusal of refusals) this.#deps.refused(refusal);
  }

  #drop(gone: Outbox<R>): void {
    if (gone.length === 0) return;
    const left = new Set(gone);
    this.#outbox = this.#outbox.filter((write) => !left.has(write));
    this.#changed(gone);
  }

  #changed(writes: Outbox<R>): void {
    const keys = writes.flatMap(({ key, twin }) => (twin === null ? [key] : [key, twin]));
    this.#deps.changed([...new Set(keys)]);
    this.#pending.publish(this.#outbox);
  }

  /** No write is pending for ever because its change is not among what is streamed. */
  #sweepLater(): void {
    if (this.#sweep !== null || this.#outbox.every(({ answer }) => answer === null)) return;
    const { env, reach } = this.#deps;
    this.#sweep = env.setTimeout(() => {
      this.#sweep = null;
      const due = env.now() - CONFIRM_MS;
      if (reach() === "live")
        this.#drop(this.#outbox.filter(({ answer }) => answer !== null && answer.at <= due));
      this.#sweepLater();
    }, CONFIRM_MS);
  }

  #keep(): void {
    const { storage } = this.#deps;
    if (storage !== undefined && this.#isRestored) writeKept(storage, this.#outbox);
  }

  async #restore(storage: WriteStorage): Promise<void> {
    const { calls, keyOf } = this.#deps;
    const kept = await readKept<R>(storage, (fields) => calls.draft(fields, ++this.#drafts), keyOf);
    this.#outbox = [...kept, ...this.#outbox];
    this.#isRestored = true;
    this.#keep();
    this.#changed(kept);
    this.#sender.wake();
  }
}

const UNSENT = { attempt: 0, answer: null, twin: null };

/** 128 random bits. Not `randomUUID`: browsers have that only under https and on localhost. */
function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
