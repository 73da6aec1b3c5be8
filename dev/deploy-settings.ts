/**
 * What a deployment is told: a file per environment (.deploy.vars, .deploy.vars.staging), readable by nobody else and
 * ignored by git; the environment wins over it. deploy/deploy.vars.example explains the names.
 */
import { chmod, readFile, writeFile } from "node:fs/promises";
import { parseEnv } from "node:util";
import { directHost } from "../protocol/postgres-url.ts";
import type { Variables } from "./config.ts";
import { formatEnvFile } from "./env-file.ts";

/** What becomes a secret of the Worker when it is set. */
export const WORKER_SECRETS = [
  "DATABASE_URL",
  "INGEST_SECRET",
  "INGEST_SECRET_PREVIOUS",
  "JWT_SECRET",
  "JWT_SECRET_PREVIOUS",
  "JWT_JWKS_URL",
  "JWT_ISSUER",
  "JWT_AUDIENCE",
] as const;

/** Everything that a deployment reads. */
export const SETTINGS = [
  "MIGRATION_DATABASE_URL",
  ...WORKER_SECRETS,
  "LISTENER_DATABASE_URL",
  "WORKER_URL",
] as const;
export type Setting = (typeof SETTINGS)[number];
export type Settings = Readonly<Partial<Record<Setting, string>>>;

/** The settings of the file, which need not exist, under those of `environment`. Empty values count as missing. */
export async function readSettings(file: string, environment: Variables): Promise<Settings> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const given = parseEnv(text);
  const pick = (name: Setting) => environment[name] || given[name];
  return Object.fromEntries(SETTINGS.flatMap((name) => (pick(name) ? [[name, pick(name)]] : [])));
}

/** Adds what was made on the way, so that the next run finds it. */
export async function keepSettings(file: string, made: Settings): Promise<void> {
  const text = await readFile(file, "utf8").catch(() => "");
  const gap = text === "" || text.endsWith("\n") ? "" : "\n";
  await writeFile(file, `${text}${gap}${formatEnvFile(made)}`, { mode: 0o600 });
  await chmod(file, 0o600);
}

/** What is wrong with the settings, one line each; values are never shown, since they hold passwords. */
export function findProblems(settings: Settings): string[] {
  const problems: string[] = [];
  for (const name of ["MIGRATION_DATABASE_URL", "DATABASE_URL", "LISTENER_DATABASE_URL"] as const) {
    const text = settings[name];
    if (text === undefined) continue;
    const url = URL.parse(text);
    if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) {
      problems.push(`${name} is no address of a Postgres: postgres://user:password@host:5432/database`);
    } else if (name !== "DATABASE_URL" && directHost(url.hostname) !== url.hostname) {
      problems.push(`${name} names a pooled host: take -pooler out of it, a session is needed there`);
    }
  }
  const { INGEST_SECRET, JWT_SECRET, WORKER_URL } = settings;
  if (INGEST_SECRET !== undefined && !/^[\x21-\x7e]{16,}$/.test(INGEST_SECRET)) {
    problems.push("INGEST_SECRET needs at least 16 printable ASCII characters: openssl rand -hex 32");
  }
  if (JWT_SECRET !== undefined && JWT_SECRET.length < 32) {
    problems.push("JWT_SECRET needs at least 32 characters: openssl rand -hex 32");
  }
  if (WORKER_URL !== undefined && URL.parse(WORKER_URL)?.protocol.startsWith("http") !== true) {
    problems.push("WORKER_URL is no address: https://rowcast.example.com");
  }
  return problems;
}
