/** How many shards each region has: decided here, by how many clients the hubs count, and kept through the loss of memory. */
import { parseHubName, REGIONS, type Region } from "../hub/region.ts";
import { resize, shardsOf, type Plan, type RegionPlan } from "../hub/tree.ts";

interface Limits {
  /** How many sockets a hub is meant to hold. */
  readonly perHub: number;
  /** Every region has at least so many shards. */
  readonly atLeast: number;
}

type Counts = Iterable<readonly [name: string, clients: number]>;
type Shards = Partial<Record<Region, number>>;

const KEY = "shards";
/** A region grows at once, but shrinks only when it has been empty for so long: hubs that move are not counted for a moment. */
const SHRINK_AFTER_MS = 60_000;

export class Planner {
  readonly #kv: SyncKvStorage;
  readonly #limits: Limits;
  /** Since when a region has had too many shards, ms since 1970. */
  readonly #emptySince = new Map<Region, number>();
  #plan: Plan;

  /** @param counts the clients of each hub that is pushed to from here. */
  constructor(kv: SyncKvStorage, limits: Limits, counts: Counts, now: number) {
    this.#kv = kv;
    this.#limits = limits;
    this.#plan = this.#planned(kv.get<Shards>(KEY) ?? {}, counts, now);
  }

  get plan(): Plan {
    return this.#plan;
  }

  /** The hubs count differently, or time has passed. Returns whether a region has more or fewer shards than before. */
  count(counts: Counts, now: number): boolean {
    const before = shardsIn(this.#plan);
    this.#plan = this.#planned(before, counts, now);
    const after = shardsIn(this.#plan);
    if (JSON.stringify(after) === JSON.stringify(before)) return false;
    this.#kv.put(KEY, after);
    return true;
  }

  #planned(before: Shards, counts: Counts, now: number): Plan {
    const clients = new Map<Region, number>();
    for (const [name, count] of counts) {
      const { region } = parseHubName(name);
      clients.set(region, (clients.get(region) ?? 0) + count);
    }
    const plan: Partial<Record<Region, RegionPlan>> = {};
    for (const region of REGIONS) {
      const present = { shards: before[region] ?? 1, clients: clients.get(region) ?? 0 };
      const shards = this.#settled(region, present, now);
      if (shards > 1) plan[region] = { ...present, shards };
    }
    return plan;
  }

  #settled(region: Region, present: RegionPlan, now: number): number {
    const wanted = resize(present, this.#limits.perHub, this.#limits.atLeast);
    if (wanted >= present.shards) {
      this.#emptySince.delete(region);
      return wanted;
    }
    const since = this.#emptySince.get(region) ?? now;
    this.#emptySince.set(region, since);
    if (now - since < SHRINK_AFTER_MS) return present.shards;
    this.#emptySince.delete(region);
    return wanted;
  }
}

function shardsIn(plan: Plan): Shards {
  const regions = REGIONS.filter((region) => region in plan);
  return Object.fromEntries(regions.map((region) => [region, shardsOf(plan, region)]));
}
