/** How mutations of a TanStack DB collection reach the server: each until there is an answer, in the order in which they were made. */
import type { CollectionConfig, PendingMutation } from "@tanstack/db";
import { backoffMs } from "../backoff.ts";
import { defaultEnv } from "../env.ts";
import { WriteRefused } from "../index.ts";
import type { Key, LiveCollection } from "../index.ts";
import type { RowcastCollectionOptions } from "./tanstack-db.ts";

type Mutation<R extends object> = Pick<
  PendingMutation<R>,
  "key" | "original" | "modified" | "changes" | "mutationId"
>;
type Call<R extends object> = (mutation: Mutation<R>) => Promise<{ readonly xid: string }>;

/** A write that the stream does not bring within so much time is outside of what is streamed. */
const CONFIRM_MS = 10_000;

/** @param live where the rows come from; null while nobody looks. */
export function mutationHandlers<R extends object>(
  write: NonNullable<RowcastCollectionOptions<R>["write"]>,
  { client, key, env }: Pick<RowcastCollectionOptions<R>, "client" | "key" | "env">,
  live: () => LiveCollection<R> | null,
): Required<Pick<CollectionConfig<R, Key>, "onInsert" | "onUpdate" | "onDelete">> {
  const { random, setTimeout, clearTimeout } = { ...defaultEnv(), ...env };

  /** Rows that have got another key than the one they were inserted with: by the latter. */
  const created = new Map<Key, R>();
  const rowOf = ({ key: its, original }: Mutation<R>): R => created.get(its) ?? (original as R);

  const create: Call<R> = async ({ key: its, modified, mutationId }) => {
    const done = await write.create(modified, mutationId);
    if (key(done.data) !== its) created.set(its, done.data);
    return done;
  };
  const update: Call<R> = (mutation) => write.update(rowOf(mutation), mutation.changes, mutation.mutationId);
  const remove: Call<R> = (mutation) => write.remove(rowOf(mutation), mutation.mutationId);

  /** The server may be there again: after a time, or when the stream is. */
  const again = (attempt: number): Promise<void> =>
    new Promise((resolve) => {
      const go = (): void => {
        clearTimeout(timer);
        end();
        resolve();
      };
      const timer = setTimeout(go, backoffMs(attempt, random(), client.status?.get()?.connectedClients));
      const end = client.on("welcome", go);
    });

  const send = async (call: Call<R>, mutation: Mutation<R>): Promise<string> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return (await call(mutation)).xid;
      } catch (error) {
        if (error instanceof WriteRefused) throw error;
        await again(attempt); // nobody knows whether it was done: the same key makes the repetition safe
      }
    }
  };

  /** Resolves when the rows show what the transaction did. */
  const shown = async (xid: string): Promise<void> => {
    const { promise: enough, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, CONFIRM_MS);
    // Rejects when the client is closed: then nothing more will come.
    await Promise.race([client.seen(xid).catch(() => undefined), enough]);
    clearTimeout(timer);
    // After a reset it is the rows loaded anew that show it.
    const source = live();
    if (source !== null) await whole(source);
  };

  let last: Promise<unknown> = Promise.resolve();
  const persist =
    (call: Call<R>) =>
    async ({ transaction }: { transaction: { mutations: readonly Mutation<R>[] } }): Promise<void> => {
      const sent = transaction.mutations.map((mutation) => {
        const xid = last.then(() => send(call, mutation));
        last = xid.catch(() => undefined);
        return xid;
      });
      for (const xid of await Promise.all(sent)) await shown(xid);
    };
  return { onInsert: persist(create), onUpdate: persist(update), onDelete: persist(remove) };
}

/** Resolves when no load is awaited. */
function whole<R>({ state }: Pick<LiveCollection<R>, "state">): Promise<void> {
  const isWhole = (): boolean => ["ready", "filling"].includes(state.get());
  if (isWhole()) return Promise.resolve();
  return new Promise((resolve) => {
    const end = state.subscribe(() => {
      if (!isWhole()) return;
      end();
      resolve();
    });
  });
}
