/** The test of the connection: a probe change through database, listener, log and hub, and the last hop to this page. */
import { signal } from "@preact/signals";
import type { Change } from "../../protocol/change.ts";
import { readToken } from "../token.ts";
import { client } from "./connection.ts";
import { logError } from "./connection-log.ts";
import { isProbeAnswer, pageHop, probeFailure, type ProbedHop, toHops } from "./panel-hops.ts";

const PROBES_TABLE = "rowcast.probes";
/** What a server says about a missing change comes before this. */
const GIVE_UP_MS = 25_000;
/** The change may be a little later here than at the Worker, or not meant for this page at all. */
const ARRIVES_WITHIN_MS = 3000;
const KEPT = 8;

export type ProbeState =
  | { readonly name: "idle" }
  | { readonly name: "running" }
  | {
      readonly name: "done";
      readonly hops: readonly ProbedHop[];
      readonly carrier: "listener" | "log" | null;
    }
  | { readonly name: "failed"; readonly message: string; readonly hops: readonly ProbedHop[] };

export const probeState = signal<ProbeState>({ name: "idle" });

/** When the last probe changes came here: before the answer to the POST, mostly. */
let arrivals: { readonly token: unknown; readonly at: number }[] = [];
let onArrival: (() => void) | null = null;

client.on("changes", ({ changes }) => {
  for (const change of changes) if (change.table === PROBES_TABLE) arrive(change);
});

function arrive({ data }: Change): void {
  arrivals = [...arrivals.slice(1 - KEPT), { token: data?.["token"], at: performance.now() }];
  onArrival?.();
}

export async function testConnection(): Promise<void> {
  if (probeState.peek().name === "running") return;
  probeState.value = { name: "running" };
  probeState.value = await run();
  const state = probeState.peek();
  if (state.name === "failed") logError(`The test of the connection failed: ${state.message}`);
}

async function run(): Promise<ProbeState> {
  const token = readToken();
  const postedAt = performance.now();
  let body: unknown;
  try {
    const response = await fetch("/api/probe", {
      method: "POST",
      cache: "no-store",
      signal: AbortSignal.timeout(GIVE_UP_MS),
      ...(token !== undefined && { headers: { Authorization: `Bearer ${token}` } }),
    });
    body = await response.json();
  } catch {
    return { name: "failed", message: "The server cannot be reached.", hops: [] };
  }
  if (!isProbeAnswer(body)) return { name: "failed", ...probeFailure(body) };
  const { id, hops, total_ms: total, carrier } = body.probe;
  const arrivedAt = await arrivalOf(id);
  return { name: "done", hops: [...toHops(hops), pageHop(arrivedAt, postedAt, total)], carrier };
}

/** When the change came over this page's own stream; null when it does not come. */
function arrivalOf(token: string): Promise<number | null> {
  const find = () => arrivals.find((arrival) => arrival.token === token)?.at ?? null;
  const found = find();
  if (found !== null) return Promise.resolve(found);
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      onArrival = null;
      resolve(find());
    };
    const timer = setTimeout(finish, ARRIVES_WITHIN_MS);
    onArrival = () => {
      if (find() !== null) finish();
    };
  });
}
