/** The one place where Durable Objects are named, so that every caller finds the same ones in the same places. */
import type { ChangeLog } from "./change-log/change-log.ts";
import type { Env } from "./env.ts";
import type { Hub } from "./hub/hub.ts";
import { Problem } from "./http/problem.ts";
import { formatHubName, type HubName } from "./hub/region.ts";
import { readWord } from "./settings.ts";

/** The ChangeLog of this deployment's database, created next to it. */
export function changeLog(env: Env): DurableObjectStub<ChangeLog> {
  const locationHint = readWord(env, "CHANGE_LOG_LOCATION") ?? (isEuropean(env) ? "weur" : "enam");
  return within(env, env.CHANGE_LOG).getByName("main", { locationHint });
}

/** A Hub, in its region whoever asks first. */
export function hub(env: Env, name: HubName): DurableObjectStub<Hub> {
  return within(env, env.HUB).getByName(formatHubName(name), { locationHint: name.region });
}

/**
 * Whether everything has to stay in the European Union.
 *
 * @throws {Problem} `unavailable` when JURISDICTION says something that is not known: it was set so that nothing is stored
 *   anywhere, and that is kept.
 */
export function isEuropean(env: Pick<Env, "JURISDICTION">): boolean {
  const jurisdiction = readWord(env, "JURISDICTION");
  if (jurisdiction === null && env.JURISDICTION) {
    throw new Problem("unavailable", "JURISDICTION has to be eu, or not set: nothing is stored until it is.");
  }
  return jurisdiction === "eu";
}

/** An object of a jurisdiction is another than that of the same name outside. */
function within<T extends Rpc.DurableObjectBranded>(
  env: Pick<Env, "JURISDICTION">,
  namespace: DurableObjectNamespace<T>,
): DurableObjectNamespace<T> {
  return isEuropean(env) ? namespace.jurisdiction("eu") : namespace;
}
