/**
 * Writes of a collection that are not confirmed yet: shown at once, sent one after the other in the order in which they were
 * made, kept while the server cannot be reached, and forgotten when the stream has brought them, or the server refused.
 * The list is that of outbox.ts; here is what happens around it.
 */
import type { Env } from "../env.ts";
import type { Observable } from "../observable.ts";
import type { Key } from "../rows.ts";
import { Confirmation } from "./confirmation.ts";
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
import { carryOut, Sender } from "./sender.ts";
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

export class Writes<R> {
  readonly #deps: Dependencies<R>;
  readonly #pending = new Pending<R>();
  readonly #confirmation: Confirmation<R>;
  readonly #sender: Sender<R>;
  /** Rows that were created here: from the key of the draft to their own. */
  readonly #aliases = new Map<Key, Key>();
  #outbox: Outbox<R> = [];
  #drafts = 0;
  #isRestored: boolean;

  constructor(deps: Dependencies<R>) {
    this.#deps = deps;
    const { calls, reach, clients, env, storage } = deps;
    this.#sender = new Sender<R>({
      next: (held) => (this.#isRestored ? nextWrite(this.#outbox, held) : undefined),
      send: (write) => carryOut(calls, write),
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
    this.#confirmation = new Confirmation<R>({
      outbox: () => this.#outbox,
      drop: (done) => this.#drop(done),
      isLive: () => reach() === "live",
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
    return this.#add("update", this.keyOf(key), fields, this.#rowOf(key));
  }

  /** @throws {RangeError} when there is no such row. */
  remove(key: Key): PendingWrite<R> {
    return this.#add("remove", this.keyOf(key), {}, this.#rowOf(key));
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

  /** See `Confirmation`. */
  get confirmation(): Pick<Confirmation<R>, "saw" | "loaded"> {
    return this.#confirmation;
  }

  /** What has not been answered stays in the storage. */
  close(): void {
    this.#sender.close();
    this.#confirmation.close();
  }

  /** Of a row that was created here, by the key of its draft: its own. */
  keyOf(key: Key): Key {
    return this.#aliases.get(key) ?? key;
  }

  /** As the server has it, or as it will be created. */
  #rowOf(key: Key): R {
    const own = this.keyOf(key);
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
    if (isOutside || this.#confirmation.hasSeen(xid))
      this.#outbox = this.#outbox.filter((write) => write !== after);
    this.#changed([before, after]);
    this.#confirmation.sweepLater();
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
    const left = new Set(gone);
    this.#outbox = this.#outbox.filter((write) => !left.has(write));
    this.#changed(gone);
  }

  #changed(writes: Outbox<R>): void {
    const keys = writes.flatMap(({ key, twin }) => (twin === null ? [key] : [key, twin]));
    this.#deps.changed([...new Set(keys)]);
    this.#pending.publish(this.#outbox);
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
