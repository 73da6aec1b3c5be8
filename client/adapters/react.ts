/** Rowcast in React: every observable of the SDK is an external store. */
import { useCallback, useMemo, useSyncExternalStore } from "react";
import type { Client, ConnectionState, Key, LiveCollection, Observable, QueryOptions } from "../index.ts";

/** The value, and a new rendering with each other one. Give it the same observable at each rendering. */
export function useObservable<T>(observable: Observable<T>): T {
  const subscribe = useCallback((changed: () => void) => observable.subscribe(changed), [observable]);
  const get = useCallback(() => observable.get(), [observable]);
  return useSyncExternalStore(subscribe, get, get);
}

/** One row of a collection, undefined while there is none. Renders again only when that row is another. */
export function useRow<R>(collection: Pick<LiveCollection<R>, "row">, key: Key): R | undefined {
  return useObservable(useMemo(() => collection.row(key), [collection, key]));
}

/**
 * Some rows of a collection, in an order. Renders again only when the result is another.
 *
 * `where` and `compare` are best defined outside of the component, or with `useCallback`: other functions are another query,
 * which looks at every row anew.
 */
export function useQuery<R>(
  collection: Pick<LiveCollection<R>, "query">,
  { where, compare, limit }: QueryOptions<R> = {},
): readonly R[] {
  const query = useMemo(
    () =>
      collection.query({
        ...(where && { where }),
        ...(compare && { compare }),
        ...(limit !== undefined && { limit }),
      }),
    [collection, where, compare, limit],
  );
  return useObservable(query);
}

/** How the connection stands. */
export function useConnection(client: Pick<Client, "state">): ConnectionState {
  return useObservable(client.state);
}
