/** Writes that have not been answered, as text: so they survive a page that is closed. */
import type { Key } from "../rows.ts";
import type { Outbox, Write } from "./outbox.ts";

/** Where the text is: one for each collection. */
export interface WriteStorage {
  /** Null when there is none. */
  readonly load: () => Promise<string | null>;
  readonly save: (text: string) => Promise<void>;
}

type KeptWrite<R> = Pick<Write<R>, "id" | "kind" | "key" | "fields" | "base" | "since">;

const VERSION = 1;

/**
 * In the order in which they were made; none when the text was written by another version.
 *
 * @param draft of a row that is to be created: they are counted anew, for the keys of those before may be taken by now.
 */
export async function readKept<R>(
  storage: WriteStorage,
  draft: (fields: Partial<R>) => R,
  keyOf: (row: R) => Key,
): Promise<Outbox<R>> {
  const keys = new Map<Key, Key>();
  return (await readText<R>(storage)).map(({ id, kind, key, fields, base: old, since }) => {
    const base = kind === "create" ? draft(fields) : old;
    if (kind === "create") keys.set(key, keyOf(base));
    return { id, kind, fields, base, since, key: keys.get(key) ?? key, attempt: 0, answer: null, twin: null };
  });
}

async function readText<R>(storage: WriteStorage): Promise<readonly KeptWrite<R>[]> {
  try {
    const { version, writes } = JSON.parse((await storage.load()) ?? "{}") as {
      readonly version?: number;
      readonly writes?: readonly KeptWrite<R>[];
    };
    return version === VERSION && Array.isArray(writes) ? writes : [];
  } catch {
    return []; // not JSON, or a storage that the browser keeps closed: then writes live as long as the page
  }
}

/** What has been answered is the server's. */
export function writeKept<R>(storage: WriteStorage, outbox: Outbox<R>): void {
  const writes: KeptWrite<R>[] = outbox
    .filter(({ answer }) => answer === null)
    .map(({ id, kind, key, fields, base, since }) => ({ id, kind, key, fields, base, since }));
  storage.save(JSON.stringify({ version: VERSION, writes })).catch(() => undefined); // full, or closed: the same
}
