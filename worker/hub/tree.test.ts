import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatHubName, REGIONS, type HubName } from "./region.ts";
import { FAN_OUT, parentOf, resize, spreadOf, surplus, type Plan } from "./tree.ts";

const shards = fc.integer({ min: 1, max: 20_000 });
const PER_HUB = 4000;

describe("the tree of hubs", () => {
  it("reaches every hub from the log in few steps, and nobody in it has more than 30 below", () => {
    fc.assert(
      fc.property(fc.array(shards, { minLength: REGIONS.length, maxLength: REGIONS.length }), (counts) => {
        const plan: Plan = Object.fromEntries(
          REGIONS.map((region, i) => [region, { shards: counts[i] ?? 1, clients: 0 }]),
        );
        const below = new Map<string, Set<string>>();
        let mostSteps = 0;
        for (const [i, region] of REGIONS.entries()) {
          for (let shard = 0; shard < (counts[i] ?? 1); shard += 1) {
            let steps = 0;
            for (let name: HubName | null = { region, level: 0, shard }; name !== null; steps += 1) {
              const parent: HubName | null = parentOf(name, plan);
              const key = parent === null ? "log" : formatHubName(parent);
              below.set(key, (below.get(key) ?? new Set()).add(formatHubName(name)));
              name = parent;
            }
            mostSteps = Math.max(mostSteps, steps);
          }
        }
        expect(mostSteps).toBeLessThanOrEqual(4);
        expect(Math.max(...[...below.values()].map(({ size }) => size))).toBeLessThanOrEqual(FAN_OUT);
      }),
      { numRuns: 6 },
    );
  });

  it("is no tree at all while a region has three hubs or fewer", () => {
    const plan = { weur: { shards: 3, clients: 0 } };
    for (const shard of [0, 1, 2]) expect(parentOf({ region: "weur", level: 0, shard }, plan)).toBeNull();
    expect(parentOf({ region: "weur", level: 0, shard: 3 }, { weur: { shards: 4, clients: 0 } })).toEqual({
      region: "weur",
      level: 1,
      shard: 0,
    });
  });
});

describe("the number of shards", () => {
  it("leaves no hub fuller than it is meant to be, is left alone once it is right, and ends at the least", () => {
    fc.assert(
      fc.property(
        shards,
        fc.integer({ min: 0, max: 10_000_000 }),
        fc.integer({ min: 1, max: 8 }),
        (now, clients, least) => {
          const next = resize({ shards: now, clients }, PER_HUB, least);
          expect(next).toBeGreaterThanOrEqual(least);
          expect(clients / next).toBeLessThanOrEqual(PER_HUB * 0.8);
          expect(resize({ shards: next, clients }, PER_HUB, least)).toBe(next);
          expect(resize({ shards: next, clients: 0 }, PER_HUB, least)).toBeLessThanOrEqual(2 * least);
        },
      ),
    );
  });

  it("does not go back and forth when as many come as go", () => {
    const grown = resize({ shards: 1, clients: 3201 }, PER_HUB, 1);
    expect(grown).toBe(2);
    for (const clients of [3300, 3200, 3000, 2000])
      expect(resize({ shards: grown, clients }, PER_HUB, 1)).toBe(2);
    expect(resize({ shards: grown, clients: 1500 }, PER_HUB, 1)).toBe(1);
  });
});

describe("clients that are to move", () => {
  const hub = { region: "weur", level: 0, shard: 0 } as const;
  it("are those beyond its share, once a hub holds more than it is meant to, and nobody a second time", () => {
    expect(surplus(hub, { weur: { shards: 2, clients: 5000 } }, 4001, PER_HUB)).toBe(1501);
    expect(surplus(hub, { weur: { shards: 2, clients: 5000 } }, 2500, PER_HUB)).toBe(0);
    expect(surplus(hub, { weur: { shards: 2, clients: 4000 } }, 3400, PER_HUB)).toBe(0);
  });
  it("are all of them where the shard is not needed any more, and none in a hub that is alone", () => {
    expect(surplus({ ...hub, shard: 1 }, {}, 120, PER_HUB)).toBe(120);
    expect(surplus(hub, {}, 4100, PER_HUB)).toBe(0);
  });
  it("come back spread out", () => {
    expect(spreadOf(1)).toBe(1000);
    expect(spreadOf(2000)).toBe(10_000);
    expect(spreadOf(1_000_000)).toBe(60_000);
  });
});
