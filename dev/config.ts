/** What moves the local stack: PORT, PG_PORT, DATA_DIR and DATABASE_URL, from the environment or from .dev.vars. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { localDatabaseUrl } from "./postgres.ts";
import { StartError } from "./start-error.ts";

export const PROJECT_DIR = fileURLToPath(new URL("..", import.meta.url));
/** Tests put theirs elsewhere: nobody's own file is touched by them. */
export const DEV_VARS_FILE = resolve(PROJECT_DIR, process.env["ROWCAST_DEV_VARS"] ?? ".dev.vars");

export type Variables = Readonly<Record<string, string | undefined>>;

export interface LocalConfig {
  /** Where the Worker listens. */
  readonly port: number;
  /** Where the embedded Postgres listens; not used with a Postgres of the user's own. */
  readonly pgPort: number;
  /** The cluster, and the Worker's local storage. */
  readonly dataDir: string;
  readonly databaseUrl: string;
  /** Whether the database is the embedded one, which `npm start` starts. */
  readonly embedded: boolean;
}

/**
 * The configuration that the environment and the values of .dev.vars (which it overrides) make. A DATABASE_URL in
 * .dev.vars that is the embedded database's own follows PG_PORT; any other is a Postgres of the user's.
 *
 * @throws {StartError} that names the variable which cannot be right.
 */
export function readConfig(environment: Variables, devVars: Variables): LocalConfig {
  const pick = (name: string) => environment[name] || devVars[name] || undefined;
  const port = readPort("PORT", pick("PORT"), 8787);
  const pgPort = readPort("PG_PORT", pick("PG_PORT"), 54_329);
  const dataDir = resolve(PROJECT_DIR, pick("DATA_DIR") ?? ".data");
  const ownUrl = environment["DATABASE_URL"] || foreignUrl(devVars["DATABASE_URL"]);
  if (ownUrl === undefined && port === pgPort) {
    throw new StartError(`PORT and PG_PORT are both ${port}: set one of them to another.`);
  }
  if (ownUrl !== undefined) assertPostgresUrl(ownUrl);
  return {
    port,
    pgPort,
    dataDir,
    databaseUrl: ownUrl ?? localDatabaseUrl(pgPort),
    embedded: ownUrl === undefined,
  };
}

/** Whether `url` is the address of the embedded database, on whatever port. */
export function isEmbeddedUrl(url: string): boolean {
  const port = URL.parse(url)?.port ?? "";
  return port !== "" && url === localDatabaseUrl(Number(port));
}

function foreignUrl(url: string | undefined): string | undefined {
  return url === undefined || url === "" || isEmbeddedUrl(url) ? undefined : url;
}

function readPort(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const port = Number(text);
  if (!/^[0-9]{1,5}$/.test(text) || port < 1 || port > 65_535) {
    throw new StartError(`${name} is "${text}", which is no port: it is a whole number from 1 to 65535.`);
  }
  return port;
}

function assertPostgresUrl(text: string): void {
  const protocol = URL.parse(text)?.protocol;
  if (protocol !== "postgres:" && protocol !== "postgresql:") {
    // Never shown in full: it may hold a password.
    throw new StartError(
      "DATABASE_URL is no address of a Postgres: it looks like postgres://user:password@host:5432/database.",
    );
  }
}
