/** The clients of a run: every way to follow, filtered and not, some of which keep live collections. */
import { CRATES, EVERYTHING, FEW, PENDING, SHELVES } from "./filters.ts";
import { startFollower, type Follower, type FollowerOptions } from "./follower.ts";
import type { Ground } from "./ground.ts";
import type { Ledger } from "./ledger.ts";
import {
  CRATES_KEPT,
  ITEMS,
  ITEMS_OF_SHELVES,
  keepShelf,
  ORDERS_KEPT,
  PENDING_KEPT,
  type Kept,
  type Shelf,
} from "./shelf.ts";

export interface Cast {
  readonly followers: readonly Follower[];
  readonly shelves: readonly Shelf[];
  close(): void;
}

export type Role = Pick<FollowerOptions, "name" | "way" | "watched" | "pollMs" | "region"> & {
  readonly keeps?: readonly Kept[];
};

export const FULL_CAST: readonly Role[] = [
  { name: "ws 1", way: "websocket", watched: EVERYTHING, keeps: [ITEMS, ORDERS_KEPT] },
  { name: "ws 2", way: "websocket", watched: SHELVES, keeps: [ITEMS_OF_SHELVES] },
  { name: "ws 3", way: "websocket", watched: PENDING, keeps: [PENDING_KEPT] },
  { name: "ws 4", way: "websocket", watched: EVERYTHING },
  { name: "sse 1", way: "sse", watched: EVERYTHING, keeps: [ORDERS_KEPT, CRATES_KEPT] },
  { name: "sse 2", way: "sse", watched: CRATES, keeps: [CRATES_KEPT] },
  { name: "sse 3", way: "sse", watched: FEW },
  { name: "either 1", way: "either", watched: EVERYTHING, keeps: [ORDERS_KEPT] },
  { name: "either 2", way: "either", watched: SHELVES },
  { name: "polling 1", way: "polling", watched: EVERYTHING },
  { name: "polling 2", way: "polling", watched: PENDING, pollMs: 1_000 },
];

/** One of each kind: for what has to be quick. */
export const SMALL_CAST: readonly Role[] = [
  { name: "ws 1", way: "websocket", watched: EVERYTHING, keeps: [ORDERS_KEPT, CRATES_KEPT] },
  { name: "ws 2", way: "websocket", watched: SHELVES, keeps: [ITEMS_OF_SHELVES] },
  { name: "sse 1", way: "sse", watched: EVERYTHING },
  { name: "sse 2", way: "sse", watched: PENDING, keeps: [PENDING_KEPT] },
  { name: "polling 1", way: "polling", watched: EVERYTHING, pollMs: 50 },
];

/** Resolves when every stream has begun: what is written from now on is for all of them. */
export async function gather(ground: Ground, ledger: Ledger, roles: readonly Role[]): Promise<Cast> {
  const shelves: Shelf[] = [];
  const followers = await Promise.all(
    roles.map(({ keeps = [], ...role }) => {
      const mine = keeps.map((kept) => keepShelf(role.name, kept, ground.cluster.url, ground.url));
      shelves.push(...mine);
      return startFollower({
        ...role,
        ledger,
        workerPort: ground.worker.port,
        onSdk: (sdk) => {
          for (const shelf of mine) shelf.attach(sdk);
        },
      });
    }),
  );
  await Promise.all(followers.map((follower) => follower.begun()));
  return {
    followers,
    shelves,
    close() {
      for (const shelf of shelves) shelf.close();
      for (const follower of followers) follower.close();
    },
  };
}
