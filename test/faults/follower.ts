/** The clients of the suite: each with a way of its own to the Worker, and an account of what it received. */
import { setTimeout as sleep } from "node:timers/promises";
import { createClient, type Client as Sdk, type Transport } from "../../client/index.ts";
import { filterToSearch, toFilter } from "../../protocol/filter.ts";
import type { Change } from "../../protocol/change.ts";
import { ALL_WATCHED, type Watched } from "./filters.ts";
import type { Account, Ledger } from "./ledger.ts";
import { openLink, type Link } from "./link.ts";

export type Way = Transport | "either" | "polling";

export interface Follower {
  readonly name: string;
  readonly way: Way;
  readonly watched: Watched;
  readonly account: Account;
  readonly link: Link;
  /** The SDK's client while it is there; null while it is away, and for polling. */
  readonly sdk: Sdk | null;
  /** When the last change came, in ms of `performance.now`. */
  readonly heardAt: number;
  /** How often it had to connect anew. */
  readonly connections: number;
  /** Closes; what comes meanwhile is fetched after `comeBack`, by position. */
  goAway(): void;
  comeBack(): void;
  /** Resolves when the stream has begun. */
  begun(): Promise<void>;
  onChanges: ((changes: readonly Change[]) => void) | null;
  close(): void;
}

export interface FollowerOptions {
  readonly name: string;
  readonly way: Way;
  readonly watched: Watched;
  readonly ledger: Ledger;
  readonly workerPort: number;
  /** Between two pages, when there is nothing more. */
  readonly pollMs?: number;
  /** Where it is; where the Worker thinks that it is, when left out. */
  readonly region?: string;
  /** Called for each client of the SDK that is made: collections hang on it. */
  readonly onSdk?: (sdk: Sdk) => void;
}

const POLL_MS = 100;
const POLL_TIMEOUT_MS = 15_000;

export async function startFollower(options: FollowerOptions): Promise<Follower> {
  const { name, way, watched, ledger, workerPort } = options;
  const account = ledger.open(name, ALL_WATCHED.indexOf(watched));
  const link = await openLink(workerPort);
  const url = `http://127.0.0.1:${link.port}`;
  const place = options.region === undefined ? "" : `/?region=${options.region}`;
  let end: (() => void) | null = null;
  let [heardAt, connections] = [0, 0];
  const begun = Promise.withResolvers<void>();

  const take = (from: string, position: string, changes: readonly Change[]): void => {
    heardAt = performance.now();
    account.take(from, position, changes);
    follower.onChanges?.(changes);
  };
  const follower: Mutable<Follower> = {
    name,
    way,
    watched,
    account,
    link,
    sdk: null,
    get heardAt() {
      return heardAt;
    },
    get connections() {
      return connections;
    },
    onChanges: null,
    begun: () => begun.promise,
    goAway() {
      end?.();
      end = null;
      follower.sdk = null;
    },
    comeBack() {
      if (end !== null) return;
      end = way === "polling" ? poll() : stream(way);
    },
    close() {
      follower.goAway();
      link.close();
    },
  };
  follower.comeBack();
  return follower;

  function stream(transport: Exclude<Way, "polling">): () => void {
    const since = account.position;
    const sdk = createClient({
      url: url + place,
      ...(since !== null && { since }),
      ...(watched.input !== null && { filter: watched.input }),
      transports: transport === "either" ? ["websocket", "sse"] : [transport],
    });
    sdk.on("welcome", ({ position }) => {
      connections += 1;
      // The first of all; later ones go on from where the account stands.
      if (account.position === null) account.begin(position);
      begun.resolve();
    });
    sdk.on("reset", ({ reason, position }) => account.reset(reason, position));
    sdk.on("changes", ({ from, position, changes }) => take(from, position, changes));
    follower.sdk = sdk;
    options.onSdk?.(sdk);
    return () => sdk.close();
  }

  function poll(): () => void {
    const stopped = new AbortController();
    const ask = async (): Promise<boolean> => {
      const search = new URLSearchParams({
        ...(account.position !== null && { since: account.position }),
        ...filterToSearch(toFilter(watched.input ?? {})),
      });
      const response = await fetch(`${url}/api/changes?${search}`, {
        signal: AbortSignal.any([stopped.signal, AbortSignal.timeout(POLL_TIMEOUT_MS)]),
      });
      const page = (await response.json()) as Page;
      if (stopped.signal.aborted) return false;
      if (response.status === 410 && page.reset) {
        account.reset(page.reset.reason, page.reset.position);
        return true;
      }
      if (!response.ok) throw new Error(`GET /api/changes answered ${response.status}`);
      if (account.position === null) {
        account.begin(page.position);
        begun.resolve();
      } else if (page.position !== page.from) take(page.from, page.position, page.changes);
      return page.more;
    };
    const go = async (): Promise<void> => {
      while (!stopped.signal.aborted) {
        // A script tries again from its position, whatever it was.
        const more = await ask().catch(() => false);
        if (!more) await sleep(options.pollMs ?? POLL_MS);
      }
    };
    void go();
    return () => stopped.abort();
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface Page {
  readonly from: string;
  readonly position: string;
  readonly more: boolean;
  readonly changes: readonly Change[];
  readonly reset?: { readonly reason: string; readonly position: string };
}
