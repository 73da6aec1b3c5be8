/** Rowcast in TanStack DB: a live collection as the source of one of its collections, and of where its mutations go. */
import type { CollectionConfig, SyncConfig } from "@tanstack/db";
import { liveCollection } from "../index.ts";
import type { Client, Key, LiveCollection, LiveCollectionOptions, WriteCalls } from "../index.ts";
import { mutationHandlers } from "./tanstack-mutations.ts";

export interface RowcastCollectionOptions<R> extends Omit<
  LiveCollectionOptions<R>,
  "client" | "write" | "storage"
> {
  /** Its name in TanStack DB. */
  readonly id?: string;
  readonly client: LiveCollectionOptions<R>["client"] & Pick<Client, "seen">;
  /** Without it, the collection is only read. */
  readonly write?: Pick<WriteCalls<R>, "create" | "update" | "remove">;
}

/**
 * For `createCollection`. Rows come as with `liveCollection`: what is loaded joined exactly to the stream, and loaded anew
 * after a reset. Mutations are sent one after the other, in the order in which they were made and until there is an answer,
 * each with its Idempotency-Key; they stay optimistic until the stream has brought them, so that nothing flickers. One that is
 * refused rejects with `WriteRefused`, and is rolled back. The mutations of one transaction are single writes to the server:
 * those before the refused one stand.
 */
export function rowcastCollectionOptions<R extends object>(
  options: RowcastCollectionOptions<R>,
): CollectionConfig<R, Key> & { schema?: never } {
  const { id, write, ...source } = options;
  let live: LiveCollection<R> | null = null;
  const sync: SyncConfig<R, Key>["sync"] = (sink) => {
    const opened = liveCollection<R>(source);
    live = opened;
    const end = follow(opened, source, sink);
    return () => {
      live = null;
      end();
      opened.close();
    };
  };
  return {
    ...(id !== undefined && { id }),
    getKey: source.key,
    sync: { sync, rowUpdateMode: "full" },
    ...(write && mutationHandlers(write, source, () => live)),
  };
}

type Sink<R extends object> = Pick<
  Parameters<SyncConfig<R, Key>["sync"]>[0],
  "begin" | "write" | "commit" | "truncate" | "markReady"
>;

/** Hands on what `live` shows: all of it when it has loaded, then what changes. Returns the function that ends it. */
function follow<R extends object>(
  live: LiveCollection<R>,
  { client, key }: Pick<RowcastCollectionOptions<R>, "client" | "key">,
  sink: Sink<R>,
): () => void {
  /** What has been handed on. */
  const given = new Map<Key, R>();
  let isOpen = false;
  let isReset = false;

  /** What happens in one go is one transaction: it ends before any promise is acted on that has been resolved meanwhile. */
  const open = (): void => {
    if (isOpen) return;
    isOpen = true;
    sink.begin();
    queueMicrotask(commit);
  };
  const commit = (): void => {
    if (isOpen) void sink.commit();
    isOpen = false;
  };
  const put = (its: Key, row: R | undefined): void => {
    const before = given.get(its);
    if (before === row) return;
    open();
    if (row === undefined) {
      given.delete(its);
      sink.write({ type: "delete", key: its });
    } else {
      given.set(its, row);
      sink.write({ type: before === undefined ? "insert" : "update", value: row });
    }
  };
  const putAll = (): void => {
    if (isReset) {
      open();
      sink.truncate({ markReady: false }); // shown even while mutations wait, which hold back everything else
      given.clear();
      isReset = false;
    }
    const rows = live.rows.get();
    for (const [its, row] of rows) put(its, row);
    for (const its of given.keys()) if (!rows.has(its)) put(its, undefined);
  };

  const ends = [
    client.on("reset", () => {
      isReset = true;
    }),
    live.rows.subscribe(() => {
      if (live.state.get() !== "ready") putAll(); // later, changes say what has changed
    }),
    live.on("change", ({ before, after }) => {
      const row = after ?? before;
      if (row !== null) return put(key(row), live.rows.get().get(key(row)));
      putAll(); // TRUNCATE
    }),
    live.state.subscribe((state) => {
      if (state !== "ready") return;
      putAll();
      commit();
      sink.markReady();
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}
