/** What the address of a stream says: from where, what, and at which Hub. */
import type { Filter } from "../../protocol/filter.ts";
import { FilterError, filterFromSearch } from "../../protocol/filter-address.ts";
import { parsePosition, type Position } from "../../protocol/position.ts";
import type { Env } from "../env.ts";
import { Problem } from "../http/problem.ts";
import { filterBytes, MAX_FILTER_BYTES } from "../hub/attachment.ts";
import { SHARDS_HEADER } from "../hub/door.ts";
import { europeanRegion, isRegion, regionOf, REGIONS, type HubName, type Region } from "../hub/region.ts";
import { readShardLimits } from "../hub/tree.ts";
import { isEuropean } from "../objects.ts";
import { readWord } from "../settings.ts";

export interface StreamAddress {
  since: Position | null;
  filter: Filter | null;
  /** Behind, the client may be told only what became of each row. */
  fold: boolean;
  /** Frames may leave out what can be derived (protocol/lean.ts). */
  lean: boolean;
}

/**
 * Reads `?since=` (or the position that EventSource sends by itself) and the filter.
 *
 * @param lastEventId the `Last-Event-ID` header: newer than the address it was first opened with, so it wins.
 * @throws {Problem} `bad_position`; {FilterError} for the filter: each names the parameter.
 */
export function readStreamAddress(search: URLSearchParams, lastEventId?: string): StreamAddress {
  const filter = filterFromSearch(search);
  if (filterBytes(filter) > MAX_FILTER_BYTES)
    throw new FilterError("filter", `a filter may be ${MAX_FILTER_BYTES} bytes long: watch fewer values`);
  const wish = { filter, fold: readFlag(search, "fold"), lean: readFlag(search, "lean") };
  const [field, text] = lastEventId ? ["Last-Event-ID", lastEventId] : ["since", search.get("since")];
  if (text === null || text === "") return { since: null, ...wish };
  const since = parsePosition(text ?? "");
  if (since === null) {
    const message =
      "a position looks like k3v9x2ab41.1042: the id of the last event, or the position of the last frame";
    throw new Problem("bad_position", `${field} is not a position: ${message}.`, {
      issues: [{ field: field ?? "since", message }],
    });
  }
  return { since, ...wish };
}

function readFlag(search: URLSearchParams, name: string): boolean {
  const flag = search.get(name) ?? "0";
  if (flag !== "0" && flag !== "1") throw wrong(name, "1 or 0");
  return flag === "1";
}

/**
 * How many shards each region has, as the hubs have told this isolate. It need not be right: a hub that is asked by
 * somebody who knows another number says so.
 */
const knownShards = new Map<Region, number>();

/** @param headers of a hub's answer. */
export function learnShards({ region }: HubName, headers: Headers): void {
  const shards = Number(headers.get(SHARDS_HEADER));
  if (Number.isSafeInteger(shards) && shards > 0) knownShards.set(region, shards);
}

export interface Choice {
  readonly name: HubName;
  /** From how many the shard was chosen; null when the address names it. */
  readonly shards: number | null;
}

/**
 * The Hub for a client: its region, and one of the region's shards by chance.
 *
 * @throws {Problem} `invalid_query` when `?region=` or `?shard=` is allowed here and wrong.
 */
export function chooseHub(
  env: Env,
  cf: IncomingRequestCfProperties | undefined,
  search: URLSearchParams,
  random = Math.random,
): Choice {
  const own = regionOf({ continent: cf?.continent, country: cf?.country, longitude: cf?.longitude });
  const free = readWord(env, "ALLOW_HUB_OVERRIDE");
  const wish = free === "true" || free === "region" ? search.get("region") : null;
  const region = wish ?? (isEuropean(env) ? europeanRegion(own) : own);
  if (!isRegion(region)) throw wrong("region", `one of ${REGIONS.join(", ")}`);
  const shard = free === "true" ? search.get("shard") : null;
  if (shard === null) {
    const shards = knownShards.get(region) ?? readShardLimits(env).atLeast;
    return { name: { region, level: 0, shard: Math.floor(random() * shards) }, shards };
  }
  if (!/^[0-9]{1,4}$/.test(shard)) throw wrong("shard", "a number from 0 to 9999");
  return { name: { region, level: 0, shard: Number(shard) }, shards: null };
}

function wrong(field: string, message: string): Problem {
  return new Problem("invalid_query", `${field} has to be ${message}.`, {
    issues: [{ field, message: `has to be ${message}` }],
  });
}
