/**
 * `/api/status`: how things stand, in depth. It asks the database how much waits, unless that could wake one that sleeps;
 * `?probe=1` asks all the same. Who is pinned is told how the service is, and nothing of how much others do.
 */
import { Hono } from "hono";
import * as v from "valibot";
import { ListenerState } from "../protocol/control.ts";
import { ListenerStatus } from "../protocol/messages.ts";
import { PROTOCOL_VERSION } from "../protocol/version.ts";
import packageJson from "../package.json";
import type { LogDetails } from "./change-log/details.ts";
import { openDatabase } from "./database/open.ts";
import type { AppEnv } from "./http/app-env.ts";
import { logError } from "./http/log-error.ts";
import { timedDatabase, timing } from "./http/timing.ts";
import { allowMethods, queryParams } from "./http/validation.ts";
import { changeLog } from "./objects.ts";
import { misread } from "./settings.ts";

/** Waiting changes are counted up to here. */
export const MAX_COUNTED = 10_000;
/** A database that has not answered by then is not awake, whatever becomes of it. */
const PROBE_MS = 5_000;

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Ms = v.pipe(v.number(), v.minValue(0));

export const StatusBody = v.object({
  success: v.literal(true),
  status: v.picklist(["ok", "degraded"]),
  timestamp: v.pipe(v.string(), v.isoTimestamp()),
  position: v.string(),
  cursorAgeMs: v.pipe(v.nullable(Ms), v.description("Since the cursor moved, or was said to be up to date")),
  listener: v.object({
    status: ListenerStatus,
    heardAt: v.nullable(v.pipe(v.string(), v.isoTimestamp())),
    controls: v.pipe(v.array(ListenerState), v.description("What each with a control socket says of itself")),
  }),
  lag: v.object({
    changes: v.pipe(
      v.nullable(Count),
      v.description(
        `Changes that wait in the database, up to ${MAX_COUNTED}; null when it was not asked, and for a pinned token`,
      ),
    ),
    ms: v.pipe(v.nullable(Ms), v.description("From the statement to the log, of the last batch")),
  }),
  clients: v.object({
    total: v.pipe(v.nullable(Count), v.description("Null, and the rest empty, for a pinned token")),
    regions: v.record(v.string(), Count),
    hubs: v.pipe(v.record(v.string(), Count), v.description("Those that the log pushes to")),
    shards: v.pipe(
      v.record(v.string(), Count),
      v.description("How many hubs hold the sockets of a region, where that is more than one"),
    ),
  }),
  history: v.object({
    oldest: v.pipe(v.string(), v.description("The position that history reaches back to")),
    changes: v.pipe(v.nullable(Count), v.description("Null, as what follows, for a pinned token")),
    bytes: v.pipe(v.nullable(Count), v.description("Of the whole storage")),
    ageMs: v.nullable(Ms),
  }),
  database: v.pipe(
    v.picklist(["awake", "asleep", "unreachable", "not_asked"]),
    v.description(
      "`asleep`: nobody watches and it was let go; `not_asked`: asking might wake it, see `probe`",
    ),
  ),
  misread: v.pipe(
    v.array(v.object({ variable: v.string(), message: v.string() })),
    v.description("Variables of the Worker that say nothing they may; none for a pinned token"),
  ),
  versions: v.object({
    rowcast: v.string(),
    protocol: Count,
    deployment: v.nullable(v.object({ id: v.string(), tag: v.string(), timestamp: v.string() })),
  }),
});
export type StatusBody = v.InferOutput<typeof StatusBody>;

const StatusQuery = v.object({
  probe: v.optional(v.picklist(["0", "1"], "probe has to be 1 or 0"), "0"),
});

/** Mounted at /api/status. */
export const status = new Hono<AppEnv>()
  .use("/", allowMethods("GET"))
  .get("/", queryParams(StatusQuery), async (c) => {
    const details = await timing(c, "log", async () => changeLog(c.env).details());
    const { listener, connectedClients, lagMs, position, cursorAgeMs, heardAt, controls, history } = details;
    const query = (text: string, params: string[]) =>
      timedDatabase(
        c,
        // One try: this is to tell how it is now.
        openDatabase({ ...c.env, DATABASE_PATIENCE_MS: "0" }, c.executionCtx),
      ).query<{ waiting: number | null }>(text, params);
    const asked = mayAsk(details) || c.req.valid("query").probe === "1";
    const isPinned = c.get("access").pin !== null;
    const found = asked ? await probe(isPinned ? null : details.cursor, query) : null;
    const deployment = c.env.CF_VERSION_METADATA;
    const body: StatusBody = {
      success: true,
      status: listener === "down" || found?.database === "unreachable" ? "degraded" : "ok",
      timestamp: new Date().toISOString(),
      position,
      cursorAgeMs,
      listener: {
        status: listener,
        heardAt: heardAt === null ? null : new Date(heardAt).toISOString(),
        controls: [...controls],
      },
      lag: { changes: found?.waiting ?? null, ms: lagMs },
      clients: isPinned
        ? { total: null, regions: {}, hubs: {}, shards: {} }
        : {
            total: connectedClients,
            regions: details.regions,
            hubs: details.hubs,
            shards: details.shards,
          },
      history: isPinned ? { oldest: history.oldest, changes: null, bytes: null, ageMs: null } : history,
      database: found?.database ?? (listener === "asleep" ? "asleep" : "not_asked"),
      misread: isPinned ? [] : misread({ ...c.env }),
      versions: {
        rowcast: packageJson.version,
        protocol: PROTOCOL_VERSION,
        deployment: deployment
          ? { id: deployment.id, tag: deployment.tag, timestamp: deployment.timestamp }
          : null,
      },
    };
    return c.json(body, 200, { "Cache-Control": "no-store" });
  });

/** Somebody keeps the database awake anyway: a listener that delivers, or the log, which looks for those who watch. */
function mayAsk({ listener, connectedClients }: LogDetails): boolean {
  return listener === "live" || (listener !== "asleep" && connectedClients > 0);
}

async function probe(
  cursor: string | null,
  query: (text: string, params: string[]) => Promise<{ waiting: number | null }[]>,
): Promise<{ database: "awake" | "unreachable"; waiting: number | null }> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${PROBE_MS} ms`)), PROBE_MS);
  });
  try {
    const asked =
      cursor === null
        ? query("SELECT NULL::int4 AS waiting", [])
        : query(`SELECT rowcast.waiting($1, ${MAX_COUNTED}) AS waiting`, [cursor]);
    const [row] = await Promise.race([asked, late]);
    return { database: "awake", waiting: row?.waiting ?? null };
  } catch (error) {
    logError("the database was asked for /api/status and did not answer", error);
    return { database: "unreachable", waiting: null };
  } finally {
    clearTimeout(timer);
  }
}
