/** A probe that did not come back: which hop it did not make, and where to look. */
import type { Env } from "../env.ts";
import { Problem } from "../http/problem.ts";
import { changeLog } from "../objects.ts";
import type { Position } from "../../protocol/position.ts";
import type { ListenerStatus } from "../../protocol/messages.ts";
import { hopsOf, timeOf, type Hop, type HopName, type Sightings } from "./hops.ts";
import { arrivalIn, findInLog } from "./log.ts";
import type { Written } from "./routes.ts";

export interface Lost {
  readonly id: string;
  /** Where the log stood before the probe was written. */
  readonly since: Position;
  readonly waitMs: number;
  readonly hub: string;
  readonly written: Written;
  readonly known: Pick<Sightings, "startedAt" | "writtenAt" | "databaseOffset">;
}

/** What the members of the problem say beside `detail`. */
interface LostProbe {
  readonly id: string;
  readonly xid: string | null;
  readonly missing: HopName;
  /** Those that were made. */
  readonly hops: readonly Hop[];
}

/** Nothing has been written. */
export function notWelcome(hub: string, waitMs: number): Problem {
  return problem(
    `The hub ${hub} did not welcome the Worker within ${waitMs} ms: its log says why (npx wrangler tail).`,
    { id: "", xid: null, missing: "hub", hops: [] },
  );
}

/** Asks the log how far the probe has come. */
export async function missingHop(env: Env, lost: Lost): Promise<Problem> {
  const { id, since, waitMs, hub, written, known } = lost;
  const nothing = { ...known, readAt: null, storedAt: null, arrived: null, logOffset: 0 };
  const { xid } = written;
  if (!written.captured) {
    return problem(
      "The change was written and not captured: the triggers of rowcast.probes are missing or disabled. " +
        "As the owner of the database: SELECT rowcast.sync('rowcast.probes').",
      { id, xid, missing: "outbox", hops: hopsOf(nothing) },
    );
  }
  const position = await findInLog(env, since, id);
  if (position === null) {
    const { listener } = await changeLog(env).overview();
    return problem(
      `The change lies in the outbox and did not come to the log within ${waitMs} ms: ${LISTENERS[listener]}.`,
      { id, xid, missing: "listener", hops: hopsOf(nothing) },
    );
  }
  const { arrival, logClock } = await arrivalIn(env, position);
  return problem(
    `The log has the change, and the hub ${hub} did not send it within ${waitMs} ms: the Worker's log says why (npx wrangler tail).`,
    {
      id,
      xid,
      missing: "hub",
      hops: hopsOf({
        ...nothing,
        readAt: arrival?.readAt == null ? null : timeOf(arrival.readAt),
        storedAt: arrival?.storedAt ?? null,
        logOffset: logClock.offset,
      }),
    },
  );
}

/** What to make of it when nothing comes. */
const LISTENERS: Readonly<Record<ListenerStatus, string>> = {
  live: "a listener was heard a moment ago; has it just gone, or does it read another database? Its log says",
  connecting: "a listener is there, or was until a moment ago, and does not deliver; its log says why",
  asleep: "the listener sleeps and did not wake; its log says why",
  down: "there is no listener, and the Worker could not read the outbox itself; the Worker's log says why",
};

function problem(detail: string, probe: LostProbe): Problem {
  return new Problem("probe_timeout", detail, { members: { probe }, headers: { "Retry-After": "5" } });
}
