/** Which transactions the stream has shown: how a client knows that its own write has come round. */
import { deferred, type Deferred } from "./deferred.ts";

/** How many transactions are remembered: a write's answer and its change are rarely seconds apart. */
export const SEEN_MAX = 10_000;

/** A bounded memory of transaction ids with promises for those to come. */
export interface Seen {
  /** Resolves when `xid` is added, or has been among the last ones. */
  readonly wait: (xid: string) => Promise<void>;
  readonly add: (xid: string) => void;
  /** Resolves whatever is awaited: what it waits for is in the snapshot that is about to be loaded. */
  readonly settle: () => void;
  /** Rejects whatever is awaited, now and later. */
  readonly close: () => void;
}

/** @param max how many ids are remembered. */
export function rememberSeen(max: number = SEEN_MAX): Seen {
  const recent = new Set<string>();
  const waiting = new Map<string, Deferred<void>>();
  let closed = false;
  return {
    wait: (xid) => {
      if (recent.has(xid)) return Promise.resolve();
      if (closed) return Promise.reject(new Error("the client is closed"));
      const present = waiting.get(xid);
      if (present) return present.promise;
      const fresh = deferred<void>();
      waiting.set(xid, fresh);
      return fresh.promise;
    },
    add: (xid) => {
      if (recent.has(xid)) return;
      recent.add(xid);
      if (recent.size > max) for (const oldest of recent.keys()) if (recent.delete(oldest)) break;
      waiting.get(xid)?.resolve();
      waiting.delete(xid);
    },
    settle: () => {
      for (const { resolve } of waiting.values()) resolve();
      waiting.clear();
    },
    close: () => {
      closed = true;
      for (const { reject } of waiting.values()) reject(new Error("the client is closed"));
      waiting.clear();
    },
  };
}
