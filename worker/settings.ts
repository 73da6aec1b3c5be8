/**
 * The variables of env.ts that are not free text: what each may be, and what holds when it is not set. They come as text;
 * an empty one counts as not set. One that says something else counts as not set too, since a mistyped limit is no reason
 * to serve nobody, and is told: by `npm run deploy`, which does not begin, by the log, `/api/status` and the doctor. Only
 * JURISDICTION is such a reason (objects.ts): what must not leave Europe does not wait elsewhere for a correction.
 */
import { REGIONS } from "./hub/region.ts";

interface Range {
  /** What holds when it is not set. */
  readonly unset: number;
  readonly least: number;
  readonly most: number;
}

const YEAR_MS = 31_536_000_000;

/** Whole numbers; what they mean is in env.ts. */
const NUMBERS = {
  DATABASE_PATIENCE_MS: { unset: 8_000, least: 0, most: 600_000 },
  DATABASE_TIMEOUT_MS: { unset: 15_000, least: 1, most: 600_000 }, // longer than a compute of Neon's takes to wake
  MAX_SOCKETS_PER_ADDRESS: { unset: 100, least: 0, most: 999_999 },
  MAX_SOCKETS_PER_TOKEN: { unset: 50, least: 0, most: 999_999 },
  HISTORY_MAX_CHANGES: { unset: 100_000, least: 1, most: 1_000_000_000 },
  HISTORY_MAX_AGE_MS: { unset: 86_400_000, least: 1, most: 10 * YEAR_MS },
  FALLBACK_AFTER_MS: { unset: 35_000, least: 1, most: YEAR_MS },
  HUB_SHARDS: { unset: 1, least: 1, most: 999_999 },
  HUB_SOCKETS: { unset: 4_000, least: 1, most: 999_999 },
  // Too short to be seen, and long enough that a Hub under load sends a hundred frames a second to a client, not a thousand.
  PUSH_EVERY_MS: { unset: 8, least: 0, most: 10_000 },
} as const satisfies Record<string, Range>;

/** Words. What holds without one is said where it is read. */
const WORDS = {
  ANONYMOUS: ["none", "read", "write"],
  RATE_LIMITS: ["on", "off"],
  LOG_REQUESTS: ["all"],
  CHANGE_LOG_LOCATION: REGIONS,
  JURISDICTION: ["eu"],
  ALLOW_HUB_OVERRIDE: ["true", "region", "false"],
} as const satisfies Record<string, readonly string[]>;

type NumberName = keyof typeof NUMBERS;
type WordName = keyof typeof WORDS;
/** Wrangler hands on what stands without quotes as a number or a boolean, whatever env.ts says. */
type Some<Name extends string> = { readonly [N in Name]?: string | number | boolean };

/** The number that a variable is, within its bounds; its default where it is not set, or is none. */
export function readNumber<Name extends NumberName>(env: Some<Name>, name: Name): number {
  return wholeNumber(env[name], NUMBERS[name]) ?? NUMBERS[name].unset;
}

/** The word that a variable is; null where it is not set, or is none of those it may be. */
export function readWord<Name extends WordName>(
  env: Some<Name>,
  name: Name,
): (typeof WORDS)[Name][number] | null {
  const words: readonly (typeof WORDS)[Name][number][] = WORDS[name];
  return words.find((word) => word === asText(env[name])) ?? null;
}

/** A variable that is set, and to nothing it may be. */
export interface Misread {
  readonly variable: string;
  /** What it has to be, and what holds meanwhile. The value is not shown: what is in the wrong place may be a secret. */
  readonly message: string;
}

/** @param env all of the Worker's variables; bindings and what is free text are not looked at. */
export function misread(env: Readonly<Record<string, unknown>>): Misread[] {
  const found: Misread[] = [];
  for (const [variable, { unset, least, most }] of Object.entries(NUMBERS)) {
    if (isUnset(env[variable]) || wholeNumber(env[variable], { least, most }) !== undefined) continue;
    const message = `has to be a whole number from ${least} to ${most}, in digits; until then it is ${unset}`;
    found.push({ variable, message });
  }
  for (const [variable, words] of Object.entries(WORDS)) {
    if (isUnset(env[variable]) || words.some((word) => word === asText(env[variable]))) continue;
    const meanwhile = variable === "JURISDICTION" ? "nothing is stored" : "it counts as not set";
    found.push({ variable, message: `has to be ${words.join(", ")} or not set; until then ${meanwhile}` });
  }
  return [...found, ...misreadOrigins(env["ALLOWED_ORIGINS"])];
}

/** The entries of ALLOWED_ORIGINS, as they are compared. */
export function readOrigins(env: { readonly ALLOWED_ORIGINS?: string }): string[] {
  return (env.ALLOWED_ORIGINS ?? "")
    .split(",")
    .map((entry) => entry.trim().replace(/\/$/, ""))
    .filter((entry) => entry !== "");
}

/** An entry that no browser ever sends lets nobody in. */
function misreadOrigins(text: unknown): Misread[] {
  if (typeof text !== "string") return [];
  const entries = readOrigins({ ALLOWED_ORIGINS: text });
  if (entries.every((entry) => entry === "*" || isOrigin(entry))) return [];
  const message =
    "has to be origins as browsers send them (https://app.example.com, no path), separated by commas, or *; " +
    "until then the others let nobody in";
  return [{ variable: "ALLOWED_ORIGINS", message }];
}

/** As a browser writes it; of an app's own scheme too (capacitor://localhost), of which URL knows no origin. */
function isOrigin(text: string): boolean {
  if (/^https?:/i.test(text)) return !text.includes("*") && URL.parse(text)?.origin === text;
  return /^([a-z][a-z0-9+.-]*:\/\/[^/*]+|null)$/.test(text);
}

function isUnset(value: unknown): boolean {
  return value === undefined || value === "";
}

/** The whole number that `value` is in decimal digits; undefined when it is none, or out of bounds. */
function wholeNumber(
  value: unknown,
  { least, most }: { readonly least: number; readonly most: number },
): number | undefined {
  const text = asText(value);
  if (text === undefined || !/^[0-9]{1,15}$/.test(text)) return undefined;
  const number = Number(text);
  return number >= least && number <= most ? number : undefined;
}

function asText(value: unknown): string | undefined {
  return ["string", "number", "boolean"].includes(typeof value) ? String(value) : undefined;
}
