/** The three ways to get at changes, as one: what the contract is tried on. */
import { setTimeout as delay } from "node:timers/promises";
import {
  createClient,
  type Client,
  type ClientEvents,
  type FilterInput,
  type Transport,
} from "../../client/index.ts";
import type { Change } from "../../protocol/change.ts";
import { parseExact } from "../../protocol/exact-json.ts";
import { filterToSearch, toFilter } from "../../protocol/filter.ts";
import type { MessageOf } from "../../protocol/messages.ts";

export interface SourceOptions {
  readonly url: string;
  /** From now on when left out. */
  readonly since?: string;
  readonly filter?: FilterInput;
}

/** A stream of changes; what of a client the contract needs. Numbers keep every digit. */
export interface Feed extends Pick<Client, "position" | "on" | "close"> {
  /** Lets the connection go, where there is one, and goes on from the position. */
  reconnect(): void;
}

export type Source = (options: SourceOptions) => Feed;

/** The SDK over one transport and no other. */
export function clientSource(transport: Transport): Source {
  return (options) => createClient({ ...options, transports: [transport], parse: parseExact });
}

interface Page {
  readonly from: string;
  readonly position: string;
  readonly more: boolean;
  readonly changes: readonly Change[];
}

const POLL_MS = 20;

/** A script that asks `GET /api/changes` again and again. */
export const pollingSource: Source = ({ url, since, filter }) => {
  const listeners = new Map<string, Set<(event: never) => void>>();
  const stopped = new AbortController();
  let position: string | null = since ?? null;
  const emit = <K extends keyof ClientEvents>(name: K, event: ClientEvents[K]): void => {
    for (const listener of listeners.get(name) ?? []) (listener as (event: ClientEvents[K]) => void)(event);
  };

  const ask = async (): Promise<boolean> => {
    const search = new URLSearchParams({
      ...(position !== null && { since: position }),
      ...filterToSearch(toFilter(filter ?? {})),
    });
    const response = await fetch(`${url}/api/changes?${search}`, { signal: stopped.signal });
    const body = parseExact(await response.text()) as Page & { reset?: Omit<MessageOf<"reset">, "type"> };
    if (response.status === 410 && body.reset) {
      position = body.reset.position;
      emit("reset", { type: "reset", ...body.reset });
      return true;
    }
    if (!response.ok)
      throw new Error(`GET /api/changes answered ${response.status}: ${JSON.stringify(body)}`);
    const first = position === null;
    position = body.position;
    if (first) emit("welcome", {} as ClientEvents["welcome"]);
    else if (body.position !== body.from) emit("changes", { ...body, transport: "sse" });
    return body.more;
  };
  const poll = async (): Promise<void> => {
    while (!stopped.signal.aborted)
      if (!(await ask())) await delay(POLL_MS, null, { signal: stopped.signal });
  };
  poll().catch((error: unknown) => {
    if (!stopped.signal.aborted) throw error;
  });

  return {
    get position() {
      return position;
    },
    on(name, listener) {
      const set = listeners.get(name) ?? new Set();
      listeners.set(name, set.add(listener));
      return () => void set.delete(listener);
    },
    reconnect: () => undefined,
    close: () => stopped.abort(),
  };
};
