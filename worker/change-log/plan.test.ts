import { describe, expect, it } from "vitest";
import { Planner } from "./plan.ts";

const LIMITS = { perHub: 100, atLeast: 1 };

/** As the storage of an object is, for what is asked of it here. */
function createKv(): SyncKvStorage {
  const values = new Map<string, unknown>();
  return { get: (key) => values.get(key), put: (key, value) => void values.set(key, value) } as SyncKvStorage;
}

describe("the shards of the regions", () => {
  it("grow at once, each region by its own clients, and are remembered", () => {
    const kv = createKv();
    const planner = new Planner(kv, LIMITS, [], 0);
    expect(planner.plan).toEqual({});
    const counts = [
      ["weur:0", 300],
      ["apac:0", 20],
    ] as const;
    expect(planner.count(counts, 0)).toBe(true);
    expect(planner.plan).toEqual({ weur: { shards: 4, clients: 300 } });
    expect(planner.count(counts, 0)).toBe(false);
    expect(new Planner(kv, LIMITS, counts, 0).plan).toEqual(planner.plan);
  });

  it("shrink only when they have been empty for a minute, not when hubs are uncounted for a moment", () => {
    const planner = new Planner(createKv(), LIMITS, [["weur:0", 300]], 0);
    expect(planner.count([], 1000)).toBe(false);
    expect(planner.plan.weur?.shards).toBe(4);
    expect(planner.count([["weur/1:0", 300]], 2000)).toBe(false);
    expect(planner.count([["weur/1:0", 10]], 100_000)).toBe(false);
    expect(planner.count([["weur/1:0", 10]], 160_000)).toBe(true);
    expect(planner.plan).toEqual({});
  });

  it("are never fewer than the deployment asks for", () => {
    expect(new Planner(createKv(), { ...LIMITS, atLeast: 2 }, [], 0).plan.oc).toEqual({
      shards: 2,
      clients: 0,
    });
  });
});
