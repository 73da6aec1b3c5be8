/** The ids of orders that have been seen here: what the Tab key offers for an id. */
import type { Api } from "../api.ts";

const MAX_IDS = 500;
/** So many to begin with. */
const FIRST_IDS = 100;
/** Nobody waits longer than this for a Tab. */
const PATIENCE_MS = 2000;

export interface KnownIds {
  /** The newest first. The first time it asks the server for the newest orders. */
  list(): Promise<readonly number[]>;
  add(ids: readonly number[]): void;
}

export function knownIds(api: (signal: AbortSignal) => Api): KnownIds {
  const ids = new Set<number>();
  let asked: Promise<void> | null = null;

  const add = (more: readonly number[]): void => {
    for (const id of more) if (Number.isSafeInteger(id)) ids.add(id);
    for (const id of ids) {
      if (ids.size <= MAX_IDS) break;
      ids.delete(id);
    }
  };
  const ask = async (): Promise<void> => {
    try {
      const { orders } = await api(AbortSignal.timeout(PATIENCE_MS)).list({}, FIRST_IDS, 0);
      add(orders.map(({ id }) => id));
    } catch {
      asked = null; // not reached, or not allowed: there is nothing to offer, and the next Tab asks again
    }
  };
  return {
    add,
    list: async () => {
      asked ??= ask();
      await asked;
      return [...ids].toSorted((a, b) => b - a);
    },
  };
}
