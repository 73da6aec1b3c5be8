/**
 * Writes of a collection that are not confirmed yet: shown at once, sent one after the other in the order in which they were
 * made, kept while the server cannot be reached, and forgotten when the stream has brought them, or the server refused.
 */
import { isVisible } from "../../protocol/snapshot.ts";
import type { Snapshot } from "../../protocol/snapshot.ts";
import { backoffMs } from "../backoff.ts";
import type { Env } from "../env.ts";
import { observable } from "../observable.ts";
import type { Observable } from "../observable.ts";
import type { Key } from "../rows.ts";
import { rememberSeen } from "../seen.ts";
import { readKept, writeKept } from "./kept-writes.ts";
import type { WriteStorage } from "./kept-writes.ts";

/** Thrown by what sends, for a final no: the write is taken back. Anything else thrown means that nobody knows: it is sent again. */
export class WriteRefused extends Error {
  readonly status: number;
  readonly code: string;
  readonly issues: readonly { readonly field: string; readonly message: string }[];
  constructor(
    message: string,
    {
      status = 0,
      code = "refused",
      issues = [],
    }: { status?: number; code?: string; issues?: WriteRefused["issues"] } = {},
  ) {
    super(message);
    this.name = "WriteRefused";
    [this.status, this.code, this.issues] = [status, code, issues];
  }
}

/** How writes reach the server. `id` is that of the write, the same each time that it is sent: its Idempotency-Key. */
export interface WriteCalls<R> {
  /** What a row that is created looks like until the server has answered; `n` counts from 1, for a key that no row has. */
  readonly draft: (fields: Partial<R>, n: number) => R;
  readonly create: (fields: Partial<R>, id: string) => Promise<{ readonly data: R; readonly xid: string }>;
  /** @param row as it was when it was edited. */
  readonly update: (
    row: R,
    fields: Partial<R>,
    id: string,
  ) => Promise<{ readonly data: R; readonly xid: string }>;
  readonly remove: (row: R, id: string) => Promise<{ readonly xid: string }>;
}

export type WriteKind = "create" | "update" | "remove";

export interface PendingWrite<R> {
  readonly id: string;
  readonly kind: WriteKind;
  /** Of the row; of one that is being created that of its draft, until the server has answered. */
  readonly key: Key;
  readonly fields: Partial<R>;
  /** When it was made, ms since 1970. */
  readonly since: number;
  /** How often it has been sent. */
  readonly attempt: number;
  /** The row as the server answered, null for one that was removed. Rejects when it is refused. */
  readonly done: Promise<R | null>;
}

export interface Refusal<R> {
  readonly write: PendingWrite<R>;
  readonly error: WriteRefused;
}

interface Item<R> {
  readonly id: string;
  readonly kind: WriteKind;
  key: Key;
  readonly fields: Partial<R>;
  readonly since: number;
  attempt: number;
  /** The row under the write when it was made; for `create` the draft. */
  readonly base: R;
  /** The write of the same row before it, as long as that is not confirmed: what it answers is the row that is written to. */
  readonly after: Item<R> | null;
  answer: { readonly data: R | null; readonly xid: string } | null;
  readonly settled: PromiseWithResolvers<R | null>;
}

interface Dependencies<R> {
  readonly calls: WriteCalls<R>;
  readonly storage: WriteStorage | undefined;
  readonly keyOf: (row: R) => Key;
  /** The row as it is shown. */
  readonly shown: (key: Key) => R | undefined;
  readonly server: (key: Key) => R | undefined;
  /** The writes of these rows have changed: they are to be laid anew, and everyone told. */
  readonly changed: (keys: readonly Key[]) => void;
  readonly refused: (refusal: Refusal<R>) => void;
  readonly isLive: () => boolean;
  readonly clients: () => number;
  readonly env: Pick<Env, "now" | "random" | "setTimeout" | "clearTimeout">;
}

/** An answered write that the stream does not bring within so much time is outside of what is streamed. */
const CONFIRM_MS = 10_000;

export class Writes<R> {
  readonly #deps: Dependencies<R>;
  readonly #pending = observable<readonly PendingWrite<R>[]>([]);
  readonly #seen = rememberSeen();
  readonly #timers = new Set<unknown>();
  /** Rows that were created here: from the key of the draft to their own. */
  readonly #aliases = new Map<Key, Key>();
  #items: Item<R>[] = [];
  #drafts = 0;
  #running = false;
  #retry: unknown = null;
  #isClosed = false;
  readonly #restored: Promise<void>;

  constructor(deps: Dependencies<R>) {
    this.#deps = deps;
    this.#restored = this.#restore();
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

  isPending(key: Key): boolean {
    return this.#items.some((item) => item.key === key);
  }

  /** The row as it is shown, when the server has this one. */
  overlay(key: Key, row: R | undefined): R | undefined {
    let shown = row;
    for (const item of this.#items) {
      if (item.key !== key) continue;
      if (item.kind === "create") shown ??= item.answer?.data ?? item.base;
      else if (item.kind === "remove") shown = undefined;
      else if (shown !== undefined) shown = { ...shown, ...item.fields };
    }
    return shown;
  }

  /** The server can be reached again. */
  kick(): void {
    this.#cancelRetry();
    void this.#run();
  }

  /** The stream has brought what these transactions did. */
  saw(xids: Iterable<string>): void {
    const brought = new Set(xids);
    for (const xid of brought) this.#seen.add(xid);
    this.#confirm((item) => item.answer !== null && brought.has(item.answer.xid));
  }

  /** The rows have been loaded in this snapshot. */
  loaded(snapshot: Snapshot): void {
    this.#confirm((item) => item.answer !== null && isVisible(item.answer.xid, snapshot));
  }

  /** What has not been answered stays in the storage. */
  close(): void {
    this.#isClosed = true;
    this.#cancelRetry();
    for (const timer of this.#timers) this.#deps.env.clearTimeout(timer);
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

  #add(
    kind: WriteKind,
    key: Key,
    fields: Partial<R>,
    base: R,
    id = randomId(),
    since = this.#deps.env.now(),
  ) {
    const after = this.#items.findLast((item) => item.key === key) ?? null;
    const settled = Promise.withResolvers<R | null>();
    const item: Item<R> = { id, kind, key, fields, since, base, after, settled, attempt: 0, answer: null };
    item.settled.promise.catch(() => undefined); // whoever does not ask is told by `refused`
    this.#items.push(item);
    this.#keep();
    this.#changed([key]);
    void this.#run();
    return view(item);
  }

  async #run(): Promise<void> {
    if (this.#running || this.#retry !== null) return;
    this.#running = true;
    try {
      await this.#restored;
      for (let item = this.#next(); item !== undefined && !this.#isClosed; item = this.#next()) {
        item.attempt += 1;
        try {
          this.#answered(item, await this.#send(item));
        } catch (error) {
          if (!(error instanceof WriteRefused)) return this.#tryLater(item.attempt);
          this.#refuse(item, error);
        }
      }
    } finally {
      this.#running = false;
    }
  }

  #next(): Item<R> | undefined {
    return this.#items.find((item) => item.answer === null);
  }

  async #send(item: Item<R>): Promise<{ data: R | null; xid: string }> {
    const { calls } = this.#deps;
    const row = item.after?.answer?.data ?? item.base;
    if (item.kind === "create") return calls.create(item.fields, item.id);
    if (item.kind === "update") return calls.update(row, item.fields, item.id);
    return { data: null, ...(await calls.remove(row, item.id)) };
  }

  #tryLater(attempt: number): void {
    if (this.#isClosed) return;
    const { random, setTimeout } = this.#deps.env;
    this.#publish(); // the number of attempts
    this.#retry = setTimeout(() => this.kick(), backoffMs(attempt, random(), this.#deps.clients()));
  }

  #cancelRetry(): void {
    if (this.#retry !== null) this.#deps.env.clearTimeout(this.#retry);
    this.#retry = null;
  }

  #answered(item: Item<R>, { data, xid }: { data: R | null; xid: string }): void {
    item.answer = { data, xid };
    item.settled.resolve(data);
    const keys = [item.key];
    if (item.kind === "create" && data !== null) {
      const own = this.#deps.keyOf(data);
      this.#aliases.set(item.key, own);
      for (const other of this.#items) if (other.key === keys[0]) other.key = own;
      keys.push(own);
    }
    this.#keep();
    this.#changed(keys);
    void this.#seen.wait(xid).then(
      () => this.#confirm((other) => other === item),
      () => undefined,
    );
    this.#confirmLater(item);
  }

  #confirmLater(item: Item<R>): void {
    const { setTimeout, isLive } = { ...this.#deps.env, isLive: this.#deps.isLive };
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (isLive()) this.#confirm((other) => other === item);
      else if (this.#items.includes(item)) this.#confirmLater(item);
    }, CONFIRM_MS);
    this.#timers.add(timer);
  }

  #confirm(isConfirmed: (item: Item<R>) => boolean): void {
    this.#drop(this.#items.filter(isConfirmed));
  }

  /** A row that is not created takes what was to be done with it along. */
  #refuse(item: Item<R>, error: WriteRefused): void {
    const gone = [item];
    if (item.kind === "create")
      gone.push(...this.#items.filter((other) => other !== item && other.key === item.key));
    this.#drop(gone);
    this.#keep();
    for (const each of gone) {
      each.settled.reject(error);
      this.#deps.refused({ write: view(each), error });
    }
  }

  #drop(gone: readonly Item<R>[]): void {
    if (gone.length === 0) return;
    this.#items = this.#items.filter((item) => !gone.includes(item));
    this.#changed(gone.map(({ key }) => key));
  }

  #changed(keys: readonly Key[]): void {
    this.#deps.changed([...new Set(keys)]);
    this.#publish();
  }

  #publish(): void {
    this.#pending.set(this.#items.map(view));
  }

  /** What has been answered is the server's. */
  #keep(): void {
    const { storage } = this.#deps;
    if (storage !== undefined)
      writeKept(
        storage,
        this.#items.filter(({ answer }) => answer === null),
      );
  }

  async #restore(): Promise<void> {
    const { storage, calls, keyOf } = this.#deps;
    if (storage === undefined) return;
    const kept = await readKept<R>(storage);
    const made = this.#items;
    this.#items = [];
    // Drafts are counted anew: the keys of those before may be taken by now.
    const keys = new Map<Key, Key>();
    for (const { id, kind, key, fields, base, since } of kept) {
      const row = kind === "create" ? calls.draft(fields, ++this.#drafts) : base;
      if (kind === "create") keys.set(key, keyOf(row));
      this.#add(kind, keys.get(key) ?? key, fields, row, id, since);
    }
    this.#items.push(...made);
    this.#keep();
    this.#publish();
  }
}

function view<R>({ id, kind, key, fields, since, attempt, settled }: Item<R>): PendingWrite<R> {
  return { id, kind, key, fields, since, attempt, done: settled.promise };
}

/** 128 random bits. Not `randomUUID`: browsers have that only under https and on localhost. */
function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
