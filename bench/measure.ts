/** One measurement of one system: sockets open, writers write, everything arrives or the time is over. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Child } from "./child.ts";
import type { Reply as ClientsReply, Request as ClientsRequest } from "./clients.ts";
import type { System } from "./stage.ts";
import type { Reply as WritersReply, Request as WritersRequest } from "./writers.ts";

export interface Crew {
  readonly clients: Child<ClientsRequest, ClientsReply | null>;
  readonly writers: Child<WritersRequest, WritersReply>;
  /** The beginning of the clock that all processes share, in ms since 1970. */
  readonly origin: number;
}

export interface Load {
  readonly sockets: number;
  readonly connections: number;
  /** Per connection; null: as fast as the database answers. */
  readonly perSecond: number | null;
  readonly forMs: number;
  /** How long after the last commit arrivals are waited for. */
  readonly patienceMs: number;
}

export interface Measured extends ClientsReply {
  readonly written: number;
  readonly commitsPerSecond: number;
  readonly commitP50: number;
  readonly commitP99: number;
  /** From the first statement to the last arrival. */
  readonly deliveredPerSecond: number;
  /** From the last commit to the last arrival, ms; at most the patience. */
  readonly tailMs: number;
}

const CONNECT_TIMEOUT_MS = 20_000;
/** What opening sockets, and closing those of the system before, makes to be done is over by then. */
const SETTLE_MS = 1_500;
const GRACE_MS = 20_000;
let runs = 0;

export async function measure(crew: Crew, system: System, load: Load): Promise<Measured> {
  const { clients, writers, origin } = crew;
  const { sockets, connections, perSecond, forMs, patienceMs } = load;
  const run = ++runs;
  const { streamUrl: url, speaks, databaseUrl } = system;
  await clients.ask({ kind: "connect", url, count: sockets, speaks, run, origin }, CONNECT_TIMEOUT_MS);
  await sleep(SETTLE_MS);
  const wrote = await writers.ask(
    { databaseUrl, origin, run, connections, forMs, perSecond },
    forMs + GRACE_MS,
  );
  const got = await clients.ask(
    { kind: "finish", commits: wrote.commits, timeoutMs: patienceMs },
    patienceMs + GRACE_MS,
  );
  if (got === null) throw new Error("the clients did not count");
  const written = wrote.commits.reduce((sum, commits) => sum + commits, 0);
  const { firstSentMs, lastCommitMs, commitP50, commitP99 } = wrote;
  return {
    ...got,
    written,
    commitsPerSecond: (written * 1000) / (lastCommitMs - firstSentMs),
    commitP50,
    commitP99,
    deliveredPerSecond: (got.delivered * 1000) / (got.lastArrivalMs - firstSentMs),
    tailMs: Math.max(0, got.lastArrivalMs - lastCommitMs),
  };
}
