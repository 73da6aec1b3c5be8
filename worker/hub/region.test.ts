import { describe, expect, it } from "vitest";
import { europeanRegion, formatHubName, parseHubName, regionOf, REGIONS } from "./region.ts";

describe("the region of a client", () => {
  it.each([
    [{ continent: "NA", country: "US", longitude: "-122.4" }, "wnam"],
    [{ continent: "NA", country: "US", longitude: "-73.9" }, "enam"],
    [{ continent: "SA", country: "BR", longitude: "-46.6" }, "sam"],
    [{ continent: "EU", country: "FR", longitude: "2.3" }, "weur"],
    [{ continent: "EU", country: "PL", longitude: "21.0" }, "eeur"],
    [{ continent: "AS", country: "JP", longitude: "139.7" }, "apac"],
    [{ continent: "AS", country: "AE", longitude: "55.3" }, "me"],
    [{ continent: "AF", country: "EG", longitude: "31.2" }, "me"],
    [{ continent: "AF", country: "KE", longitude: "36.8" }, "afr"],
    [{ continent: "OC", country: "AU", longitude: "151.2" }, "oc"],
    [{}, "enam"],
  ] as const)("for %o is %s", (place, region) => {
    expect(regionOf(place)).toBe(region);
  });

  it("is one within the European Union where everything has to stay there", () => {
    expect(REGIONS.map(europeanRegion)).toEqual(
      REGIONS.map((region) => (region === "eeur" || region === "me" ? "eeur" : "weur")),
    );
  });

  it("is in the hub's name, which is read back", () => {
    const hub = { region: "weur", level: 0, shard: 3 } as const;
    expect(formatHubName(hub)).toBe("weur:3");
    for (const name of [hub, { ...hub, level: 2 }]) expect(parseHubName(formatHubName(name))).toEqual(name);
    for (const name of ["moon:1", "weur", "weur/0:1", "weur:x", ":1"])
      expect(() => parseHubName(name)).toThrow("not a hub's name");
  });
});
