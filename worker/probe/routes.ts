/**
 * `POST /api/probe`: a change is made in the database, and waited for at the caller's hub. It takes the way that every
 * change takes; the answer says where the time went, or which hop it did not make.
 */
import { type Context, Hono } from "hono";
import type { Database } from "../database/database.ts";
import { openDatabase } from "../database/open.ts";
import type { AppEnv } from "../http/app-env.ts";
import { logError } from "../http/log-error.ts";
import { timedDatabase } from "../http/timing.ts";
import { allowMethods, queryParams } from "../http/validation.ts";
import { changeLog } from "../objects.ts";
import { formatPosition } from "../../protocol/position.ts";
import { hopsOf, offsetOf, tenths, timeOf, type ClockOffset, type ClockSample } from "./hops.ts";
import { PROBES, watchHub, type HubWatch } from "./hub-watch.ts";
import { arrivalIn } from "./log.ts";
import { missingHop, notWelcome } from "./missing.ts";
import { ProbeQuery, type ProbeBody } from "./schemas.ts";

/** A clock that took longer to answer than this is asked once more: the first time a compute may have had to wake. */
const GOOD_ROUND_TRIP_MS = 10;

/** Mounted at /api/probe. */
export const probe = new Hono<AppEnv>()
  .use("/", allowMethods("POST"))
  // A body, which some clients send, is not looked at.
  .post("/", queryParams(ProbeQuery), async (c) => {
    const { wait_ms: waitMs } = c.req.valid("query");
    const id = crypto.randomUUID();
    const watch = await watchHub(c, id, waitMs);
    if (watch instanceof Response) return watch as never; // a refusal: `hc` types what is answered otherwise
    try {
      return await probeThrough(c, watch, id, waitMs);
    } finally {
      watch.close();
    }
  });

async function probeThrough(c: Context<AppEnv>, watch: HubWatch, id: string, waitMs: number) {
  const since = await watch.welcome;
  if (since === null) throw notWelcome(watch.hub, waitMs);
  const database = timedDatabase(c, openDatabase(c.env, c.executionCtx));
  const startedAt = Date.now();
  const written = await write(database, id);
  // Listeners that sleep are woken, as after every write of the API.
  const told = changeLog(c.env).wrote();
  c.executionCtx.waitUntil(told.catch((error: unknown) => logError("after_write_failed", error)));
  // What was not captured is not waited for.
  const patienceMs = written.captured ? waitMs : 0;
  const [seen, clock] = await Promise.all([watch.arrival(patienceMs), betterClock(database, written.clock)]);
  const databaseClock = offsetOf(clock);
  const known = { startedAt, writtenAt: written.clock.at, databaseOffset: databaseClock.offset };
  if (seen === null) throw await missingHop(c.env, { id, since, waitMs, hub: watch.hub, written, known });
  const { arrival, logClock } = await arrivalIn(c.env, seen.position);
  const hops = hopsOf({
    ...known,
    writtenAt: timeOf(seen.change.timestamp),
    readAt: arrival?.readAt == null ? null : timeOf(arrival.readAt),
    storedAt: arrival?.storedAt ?? null,
    arrived: { at: seen.at, hubRoundTripMs: watch.roundTripMs },
    logOffset: logClock.offset,
  });
  const body: ProbeBody = {
    success: true,
    probe: {
      id,
      xid: written.xid,
      table: PROBES,
      position: formatPosition(seen.position),
      carrier: arrival?.carrier ?? null,
      hub: watch.hub,
      total_ms: seen.at - startedAt,
      hops,
      clocks: { database: shown(databaseClock), log: shown(logClock) },
    },
  };
  return c.json(body, 200, { "Cache-Control": "no-store" });
}

export interface Written {
  readonly xid: string;
  readonly captured: boolean;
  readonly clock: ClockSample;
}

async function write(database: Database, id: string): Promise<Written> {
  let sentAt = Date.now();
  const [row] = await database.query<{ xid: string; captured: number; clock: string }>(
    "SELECT xid, captured::int AS captured, clock FROM rowcast.probe($1)",
    [id],
    // A probe made twice is as good as one.
    { repeatable: true, onSent: () => void (sentAt = Date.now()) },
  );
  if (row === undefined) throw new Error("rowcast.probe gave no row");
  const clock = { sentAt, receivedAt: Date.now(), at: timeOf(row.clock) };
  return { xid: row.xid, captured: row.captured === 1, clock };
}

/** Of two samples the one of less round trip. */
async function betterClock(database: Database, first: ClockSample): Promise<ClockSample> {
  if (first.receivedAt - first.sentAt <= GOOD_ROUND_TRIP_MS) return first;
  let sentAt = Date.now();
  try {
    const [row] = await database.query<{ clock: string }>(
      `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS clock`,
      [],
      { onSent: () => void (sentAt = Date.now()) },
    );
    const second = { sentAt, receivedAt: Date.now(), at: timeOf(row?.clock ?? "") };
    return second.receivedAt - sentAt < first.receivedAt - first.sentAt ? second : first;
  } catch {
    return first; // it has answered once, and that is good enough
  }
}

function shown({ offset, uncertainty }: ClockOffset): { offset_ms: number; uncertainty_ms: number } {
  return { offset_ms: tenths(offset), uncertainty_ms: tenths(uncertainty) };
}
