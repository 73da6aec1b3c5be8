/** The listener's configuration: environment variables, checked all at once. What is wrong is named, with the fix. */
import * as v from "valibot";
import { asksForTls, connectionOptions, directHost } from "../protocol/postgres-url.ts";

/** setTimeout's limit; a longer wait would fire at once. */
const MAX_TIMER_MS = 2_147_483_647;

const DatabaseUrl = v.pipe(
  v.string("is missing: set it to postgres://user:password@host:5432/database"),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const problem = findDatabaseUrlProblem(dataset.value);
    if (problem !== null) addIssue({ message: problem });
  }),
);

const WorkerUrl = v.pipe(
  v.string(
    "is missing: set it to the Worker's address, http://localhost:8787 or https://rowcast.example.com",
  ),
  v.check(
    (text) => ["http:", "https:"].includes(parseUrl(text)?.protocol ?? ""),
    "is not an address: it looks like http://localhost:8787 or https://rowcast.example.com",
  ),
  v.check(
    (text) => !hasLogin(text),
    "holds a user or password: take them out, the secret goes in INGEST_SECRET",
  ),
  v.transform((text) => (text.endsWith("/") ? text : `${text}/`)),
);

const IngestSecret = v.pipe(
  v.string("is missing: set it to the same secret as the Worker's INGEST_SECRET"),
  v.regex(
    /^[\x21-\x7e]+$/,
    "holds a blank, a line break or a character outside ASCII, which a bearer token cannot: set it to the same secret as the Worker's",
  ),
);

/** A whole number in decimal, within bounds, with a default. */
function integer(fallback: number, min: number, max: number) {
  const message = `is not a whole number from ${min} to ${max}: leave it out for ${fallback}`;
  return v.pipe(
    v.optional(v.string(), String(fallback)),
    v.regex(/^[0-9]{1,15}$/, message),
    v.transform(Number),
    v.minValue(min, message),
    v.maxValue(max, message),
  );
}

const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

export const Config = v.object({
  /** The direct connection, never a transaction pooler: LISTEN is accepted there and nothing is ever delivered. */
  DATABASE_URL: DatabaseUrl,
  WORKER_URL: WorkerUrl,
  INGEST_SECRET: IngestSecret,
  /** With no doorbell for so long, drain all the same and tell the ChangeLog that this listener lives. */
  KEEPALIVE_MS: integer(25_000, 100, MAX_TIMER_MS),
  /** A query or POST without an answer for so long has failed. */
  ANSWER_TIMEOUT_MS: integer(10_000, 100, MAX_TIMER_MS),
  BATCH_CHANGES: integer(1_000, 1, 100_000),
  /** The log keeps a batch as one row, of which a Durable Object takes 2 MB. */
  BATCH_BYTES: integer(1_000_000, 1_000, 1_800_000),
  /**
   * Whether to let go of the database while nobody watches, so that it can sleep. Unless set: `auto` for Neon, `prevent`
   * for every other Postgres, which does not sleep and only would get its changes later after a while with nobody there.
   */
  SUSPEND: v.optional(v.picklist(["auto", "prevent"], "is neither auto nor prevent")),
  /** With no client for so long, let go. */
  IDLE_AFTER_MS: integer(60_000, 0, MAX_TIMER_MS),
  /** Asleep for so long, look once; 0: only when woken. */
  WAKE_EVERY_MS: integer(21_600_000, 0, 31_536_000_000),
  /** Delivered changes stay in the outbox so long. */
  OUTBOX_RETENTION_MS: integer(3_600_000, 0, 31_536_000_000),
  /** Where /metrics and /healthz are served; 0: nowhere. */
  METRICS_PORT: integer(0, 0, 65_535),
  /** Prometheus on another machine needs another address than this machine's own. */
  METRICS_HOST: v.optional(v.string(), "127.0.0.1"),
  LOG_LEVEL: v.optional(v.picklist(LEVELS, `is none of ${LEVELS.join(", ")}`), "info"),
});
export type Config = v.InferOutput<typeof Config>;

/** One line a problem: the variable, what is wrong, what to do. Values are never shown: they may be secrets. */
export class ConfigError extends Error {
  readonly code = "CONFIG";
  override readonly name = "ConfigError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The listener's configuration is wrong:\n${problems.map((line) => `  ${line}`).join("\n")}`);
    this.problems = problems;
  }
}

/**
 * @param env such as `process.env`; an empty variable counts as missing.
 * @throws {ConfigError} naming every problem at once.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ""),
  );
  const result = v.safeParse(Config, {
    DATABASE_URL: undefined,
    WORKER_URL: undefined,
    INGEST_SECRET: undefined,
    ...given,
  });
  if (result.success) return result.output;
  const problems = new Map<string, string>();
  for (const issue of result.issues) {
    const name = v.getDotPath(issue) ?? "";
    if (!problems.has(name)) problems.set(name, `${name} ${issue.message}`);
  }
  throw new ConfigError([...problems.values()]);
}

/** Whether this listener lets go of the database while nobody watches. */
export function maySleep({ SUSPEND, DATABASE_URL }: Pick<Config, "SUSPEND" | "DATABASE_URL">): boolean {
  return (SUSPEND ?? (isNeon(DATABASE_URL) ? "auto" : "prevent")) === "auto";
}

function isNeon(url: string): boolean {
  const { hostname, searchParams } = new URL(url);
  return /\.neon\.(tech|build)$/i.test(searchParams.get("host") ?? hostname);
}

function findDatabaseUrlProblem(text: string): string | null {
  const url = parseUrl(text);
  if (!url || !["postgres:", "postgresql:"].includes(url.protocol)) {
    return "is not a Postgres URL: it looks like postgres://user:password@host:5432/database (signs like # / ? @ in the password are written %23 %2F %3F %40)";
  }
  if (connectionOptions(text).enableChannelBinding && !asksForTls(text)) {
    return "asks for channel_binding=require, which only TLS has: add &sslmode=verify-full";
  }
  const host = url.searchParams.get("host") ?? url.hostname;
  const direct = directHost(host);
  if (direct === host) return null;
  return `names the pooled host ${host}, where LISTEN never delivers: use the direct host ${direct}`;
}

function hasLogin(text: string): boolean {
  const url = parseUrl(text);
  return url !== null && (url.username !== "" || url.password !== "");
}

function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}
