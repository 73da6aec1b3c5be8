/** Writes that have not been answered, as text: so they survive a page that is closed. */
import type { Key } from "../rows.ts";
import type { WriteKind } from "./writes.ts";

/** Where the text is: one for each collection. */
export interface WriteStorage {
  /** Null when there is none. */
  readonly load: () => Promise<string | null>;
  readonly save: (text: string) => Promise<void>;
}

interface KeptWrite<R> {
  readonly id: string;
  readonly kind: WriteKind;
  readonly key: Key;
  readonly fields: Partial<R>;
  readonly base: R;
  readonly since: number;
}

const VERSION = 1;

/** In the order in which they were made. A text that cannot be read was written by another version: it holds nothing for this one. */
export async function readKept<R>(storage: WriteStorage): Promise<readonly KeptWrite<R>[]> {
  try {
    const { version, writes } = JSON.parse((await storage.load()) ?? "{}") as {
      version?: number;
      writes?: KeptWrite<R>[];
    };
    return version === VERSION && Array.isArray(writes) ? writes : [];
  } catch {
    return []; // not JSON, or a storage that the browser keeps closed: then writes live as long as the page
  }
}

export function writeKept<R>(storage: WriteStorage, writes: readonly KeptWrite<R>[]): void {
  const kept = writes.map(({ id, kind, key, fields, base, since }) => ({
    id,
    kind,
    key,
    fields,
    base,
    since,
  }));
  storage.save(JSON.stringify({ version: VERSION, writes: kept })).catch(() => undefined); // full, or closed: the same
}
