/**
 * Where a client's Hub lives. A Hub's name is its region and shard; the region is one of Cloudflare's location hints, so
 * that the first client, wherever the object happens to be asked for, does not decide for ever where it runs.
 * https://developers.cloudflare.com/durable-objects/reference/data-location/
 */
export const REGIONS = ["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"] as const;
export type Region = (typeof REGIONS)[number];

export interface HubName {
  readonly region: Region;
  /** 0 holds sockets; what is above hands on to those below (tree.ts). */
  readonly level: number;
  readonly shard: number;
}

/** What is read of `request.cf`. */
interface Place {
  readonly continent?: string | undefined;
  readonly country?: string | undefined;
  readonly longitude?: string | undefined;
}

const MIDDLE_EAST: ReadonlySet<string> = new Set(
  "AE BH CY EG IL IQ IR JO KW LB OM PS QA SA SY TR YE".split(" "),
);

/** West of it North America is `wnam`; Denver lies on it. */
const AMERICAN_MERIDIAN = -100;
/** East of it Europe is `eeur`; between Vienna and Warsaw. */
const EUROPEAN_MERIDIAN = 17;

/** The region of a client; `enam` where nothing is known, as on a laptop. */
export function regionOf(place: Place): Region {
  if (place.country !== undefined && MIDDLE_EAST.has(place.country)) return "me";
  const longitude = Number(place.longitude ?? Number.NaN);
  switch (place.continent) {
    case "NA":
      return longitude < AMERICAN_MERIDIAN ? "wnam" : "enam";
    case "SA":
      return "sam";
    case "EU":
      return longitude > EUROPEAN_MERIDIAN ? "eeur" : "weur";
    case "AS":
      return "apac";
    case "OC":
      return "oc";
    case "AF":
      return "afr";
    default:
      return "enam";
  }
}

/** The same where every object has to stay in the European Union. */
export function europeanRegion(region: Region): Region {
  return region === "eeur" || region === "me" ? "eeur" : "weur";
}

export function isRegion(text: string): text is Region {
  return REGIONS.some((region) => region === text);
}

/** The name of the object: `weur:0`, and of one that hands on to others `weur/1:0`. */
export function formatHubName({ region, level, shard }: HubName): string {
  return `${region}${level > 0 ? `/${level}` : ""}:${shard}`;
}

/** @throws {TypeError} for a name that this module did not write. */
export function parseHubName(name: string): HubName {
  const [, region = "", level = "0", shard = ""] = /^([a-z]+)(?:\/([1-9]))?:([0-9]{1,6})$/.exec(name) ?? [];
  if (!isRegion(region)) throw new TypeError(`not a hub's name: ${name}`);
  return { region, level: Number(level), shard: Number(shard) };
}
