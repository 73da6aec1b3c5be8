/**
 * What happens often, as points for Workers Analytics Engine, when it is bound (wrangler.toml): to be asked with SQL,
 * https://developers.cloudflare.com/analytics/analytics-engine/sql-api/. `index1` is the kind of point. Writing one is not
 * waited for and cannot fail a request.
 */
import type { Env } from "./env.ts";
import { parseHubName } from "./hub/region.ts";

type Bound = Pick<Env, "ANALYTICS">;

/** A batch was stored. double1: changes, double2: characters, double3: lag in ms. */
export function recordBatch(env: Bound, changes: number, chars: number, lagMs: number | null): void {
  env.ANALYTICS?.writeDataPoint({ indexes: ["batch"], doubles: [changes, chars, lagMs ?? 0] });
}

/** A client has come to a Hub. blob1: the hub, blob2: its region; double1: 1 when it came back with a position. */
export function recordConnection(env: Bound, hub: string, cameBack: boolean): void {
  env.ANALYTICS?.writeDataPoint({
    indexes: ["connection"],
    blobs: [hub, parseHubName(hub).region],
    doubles: [cameBack ? 1 : 0],
  });
}
