/** A table, the stream of its changes and a client that follows it: the real SDK over a hub in this process. */
import { createClient, WriteRefused } from "../../client/index.ts";
import type { Client, Observable, WriteCalls } from "../../client/index.ts";
import { observable } from "../../client/observable.ts";
import type { Change } from "../../protocol/change.ts";
import { startFakeHub } from "./fake-hub.ts";
import type { FakeHub } from "./fake-hub.ts";

export interface Item {
  readonly id: number;
  readonly name: string;
}

export interface Source {
  readonly hub: FakeHub;
  readonly client: Client;
  readonly options: {
    readonly client: Client;
    readonly table: "items";
    readonly key: (row: Item) => number;
    readonly load: () => Promise<{ rows: readonly Item[]; snapshot: string }>;
  };
  readonly write: WriteCalls<Item>;
  /** What has been done, by the key of each write. */
  readonly done: ReadonlyMap<string, unknown>;
  /** What becomes of the next writes: `lost` ones never come to the server, of `answer-lost` ones nobody hears. */
  fate: "answered" | "refused" | "lost" | "answer-lost";
  /** While true, nothing is streamed; what has been done is when it no longer is. */
  isHeld: boolean;
  /** Resolves when the next write has been done. */
  nextDone(): Promise<void>;
  /** While it is there, rows that are asked for are not answered before it is resolved. */
  loading: Promise<void> | null;
  /** Resolves when rows are asked for next. */
  nextLoad(): Promise<void>;
  /** How often they have been. */
  readonly loads: number;
  put(row: Item): string;
  /** The same, but the row is too large to travel. */
  putLarge(row: Item): string;
  remove(id: number): string;
  truncate(): void;
  /** Tells everybody to load anew. */
  reset(): void;
  /** Of all rows, in the order of their keys. */
  names(): string;
  close(): Promise<void>;
}

export async function startSource(...items: Item[]): Promise<Source> {
  const rows = new Map(items.map((row) => [row.id, row]));
  const hub = await startFakeHub();
  const client = createClient({ url: hub.url, env: { random: () => 0 } });
  const done = new Map<string, { data: Item; xid: string }>();
  const held: Partial<Change>[] = [];
  const waitingForDone: (() => void)[] = [];
  const waitingForLoad: (() => void)[] = [];
  let xids = 1000;
  let ids = 100;
  let isHeld = false;
  let appended = 0;
  let loads = 0;

  const stream = (change: Partial<Change>): string => {
    const xid = String(++xids);
    const whole = { table: "items", old: null, ...change, xid };
    if (isHeld) held.push(whole);
    else append(whole);
    return xid;
  };
  const append = (change: Partial<Change>): void => {
    appended += 1;
    hub.append(change);
  };
  const put = (row: Item): string => {
    const operation = rows.has(row.id) ? "UPDATE" : "INSERT";
    rows.set(row.id, row);
    return stream({ operation, key: { id: row.id }, data: { ...row } });
  };
  const putLarge = (row: Item): string => {
    rows.set(row.id, row);
    return stream({ operation: "UPDATE", key: { id: row.id }, data: null });
  };
  const remove = (id: number): string => {
    const data = rows.get(id);
    rows.delete(id);
    return stream({ operation: "DELETE", key: { id }, data: { ...data } });
  };

  /** Once for each key, as the API does it. */
  const once = async (key: string, act: () => { data: Item; xid: string }) => {
    const { fate } = source;
    if (fate === "refused") throw new WriteRefused("not this", { status: 422, code: "validation_failed" });
    if (fate === "lost") throw new Error("not reached");
    const answer = done.get(key) ?? act();
    done.set(key, answer);
    for (const go of waitingForDone.splice(0)) go();
    if (fate === "answer-lost") throw new Error("no answer");
    return answer;
  };
  const present = ({ id }: Item): Item => {
    const row = rows.get(id);
    if (row === undefined) throw new WriteRefused(`there is no item ${id}`, { status: 404 });
    return row;
  };
  const source: Source = {
    hub,
    client,
    options: {
      client,
      table: "items",
      key: ({ id }) => id,
      load: async () => {
        loads += 1;
        for (const go of waitingForLoad.splice(0)) go();
        if (source.loading !== null) await source.loading;
        return { rows: [...rows.values()], snapshot: `${xids + 1}:${xids + 1}:` };
      },
    },
    write: {
      draft: (fields, n) => ({ name: "", ...fields, id: -n }),
      create: (fields, key) =>
        once(key, () => {
          const data = { name: "", ...fields, id: ++ids };
          return { data, xid: put(data) };
        }),
      update: (row, fields, key) =>
        once(key, () => {
          const data = { ...present(row), ...fields };
          return { data, xid: put(data) };
        }),
      remove: (row, key) => once(key, () => ({ data: present(row), xid: remove(row.id) })),
    },
    done,
    fate: "answered",
    loading: null,
    get loads() {
      return loads;
    },
    get isHeld() {
      return isHeld;
    },
    set isHeld(next) {
      isHeld = next;
      if (!isHeld) for (const change of held.splice(0)) append(change);
    },
    nextLoad: () => new Promise((resolve) => waitingForLoad.push(resolve)),
    nextDone: () => new Promise((resolve) => waitingForDone.push(resolve)),
    put,
    putLarge,
    remove,
    truncate: () => {
      rows.clear();
      stream({ operation: "TRUNCATE", key: null, data: null });
    },
    reset: () => {
      const position = `e.${appended}`;
      for (const reader of hub.readers) reader.send({ type: "reset", reason: "epoch", position });
    },
    names: () =>
      [...rows.values()]
        .toSorted((a, b) => a.id - b.id)
        .map(({ name }) => name)
        .join(" "),
    close: async () => {
      client.close();
      await hub.close();
    },
  };
  return source;
}

/** Resolves as soon as `holds`, which is asked whenever `watched` tells. */
export function until(
  watched: { subscribe(look: () => void): () => void },
  holds: () => boolean,
): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!holds()) return;
      end();
      resolve();
    };
    const end = watched.subscribe(look);
    look();
  });
}

/** An observable that says how many follow it. */
export function counted<T>(first: T) {
  const { value, set } = observable(first);
  const state = { followers: 0 };
  const counting: Observable<T> = {
    get: () => value.get(),
    subscribe: (listener) => {
      state.followers += 1;
      const end = value.subscribe(listener);
      return () => {
        state.followers -= 1;
        end();
      };
    },
  };
  return { state, set, value: counting };
}
