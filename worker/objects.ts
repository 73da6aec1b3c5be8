/** The one place where Durable Objects are named, so that every caller finds the same ones in the same places. */
import type { ChangeLog } from "./change-log/change-log.ts";
import type { Env } from "./env.ts";
import type { Hub } from "./hub/hub.ts";
import { formatHubName, isRegion, type HubName } from "./hub/region.ts";

/** The ChangeLog of this deployment's database, created next to it. */
export function changeLog(env: Env): DurableObjectStub<ChangeLog> {
  const hint = env.CHANGE_LOG_LOCATION ?? (isEuropean(env) ? "weur" : "enam");
  const locationHint = isRegion(hint) ? hint : "enam";
  return within(env, env.CHANGE_LOG).getByName("main", { locationHint });
}

/** A Hub, in its region whoever asks first. */
export function hub(env: Env, name: HubName): DurableObjectStub<Hub> {
  return within(env, env.HUB).getByName(formatHubName(name), { locationHint: name.region });
}

/** Whether everything has to stay in the European Union. */
export function isEuropean(env: Pick<Env, "JURISDICTION">): boolean {
  return env.JURISDICTION === "eu";
}

/** An object of a jurisdiction is another than that of the same name outside. */
function within<T extends Rpc.DurableObjectBranded>(
  env: Pick<Env, "JURISDICTION">,
  namespace: DurableObjectNamespace<T>,
): DurableObjectNamespace<T> {
  return isEuropean(env) ? namespace.jurisdiction("eu") : namespace;
}
