/** The one place where Durable Objects are named, so that every caller finds the same ones in the same places. */
import type { ChangeLog } from "./change-log/change-log.ts";
import type { Env } from "./env.ts";
import type { Hub } from "./hub/hub.ts";
import { formatHubName, isRegion, type HubName } from "./hub/region.ts";

/** The ChangeLog of this deployment's database, created next to it. */
export function changeLog(env: Env): DurableObjectStub<ChangeLog> {
  const hint = env.CHANGE_LOG_LOCATION ?? "enam";
  return env.CHANGE_LOG.getByName("main", { locationHint: isRegion(hint) ? hint : "enam" });
}

/** A Hub, in its region whoever asks first. */
export function hub(env: Env, name: HubName): DurableObjectStub<Hub> {
  return env.HUB.getByName(formatHubName(name), { locationHint: name.region });
}
