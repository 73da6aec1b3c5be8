/** What the self-test looks at: from the command line, the environment, and a file of variables, in this order. */
import { SignJWT } from "jose";
import { readConfig, type Variables } from "../config.ts";

export interface Asked {
  readonly url?: string | undefined;
  readonly databaseUrl?: string | undefined;
  readonly token?: string | undefined;
}

/** A value and where it is from. */
export interface Setting {
  readonly value: string;
  readonly from: string;
}

export interface Settings {
  readonly databaseUrl: Setting;
  readonly workerUrl: Setting;
  readonly secret: Setting | null;
  /** A bearer token with the role `write`; null for nobody. */
  readonly token: string | null;
}

/** Addresses of the database that see more than DATABASE_URL's login may, and are never pooled; the first that is there. */
const BETTER_DATABASE_URLS = ["MIGRATION_DATABASE_URL", "LISTENER_DATABASE_URL"];
const TOKEN_SECONDS = 300;

/**
 * @param file the values of the file, and its name for messages: .dev.vars of the local stack, or .deploy.vars.
 * @throws {StartError} for a port or an address of a database that cannot be right.
 */
export async function readSettings(
  asked: Asked,
  environment: Variables,
  file: { readonly name: string; readonly values: Variables },
): Promise<Settings> {
  const find = (name: string): Setting | null => {
    if (environment[name]) return { value: environment[name], from: `${name} in the environment` };
    return file.values[name] ? { value: file.values[name], from: `${name} in ${file.name}` } : null;
  };
  const given = (value: string | undefined, option: string): Setting | null =>
    value === undefined ? null : { value, from: option };
  // Where nothing is said, what `npm start` brings up: its addresses follow the ports.
  const local = readConfig(environment, file.values);
  const better = BETTER_DATABASE_URLS.map(find).find((setting) => setting !== null);
  const worker = find("ROWCAST_URL") ?? (environment["PORT"] ? null : find("WORKER_URL"));
  return {
    databaseUrl: given(asked.databaseUrl, "--database-url") ??
      better ?? { value: local.databaseUrl, from: find("DATABASE_URL")?.from ?? "the local stack" },
    workerUrl: given(asked.url, "--url") ??
      worker ?? { value: `http://localhost:${local.port}`, from: "the local stack" },
    secret: find("INGEST_SECRET"),
    token: asked.token ?? environment["ROWCAST_TOKEN"] ?? (await mint(find)),
  };
}

/** A short-lived token of our own, where we know how tokens are signed. */
async function mint(find: (name: string) => Setting | null): Promise<string | null> {
  const secret = find("JWT_SECRET");
  if (secret === null) return null;
  const token = new SignJWT({ role: "write" })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject("doctor")
    .setExpirationTime(`${TOKEN_SECONDS} s`);
  const [issuer, audience] = [find("JWT_ISSUER"), find("JWT_AUDIENCE")];
  if (issuer) token.setIssuer(issuer.value);
  if (audience) token.setAudience(audience.value);
  return token.sign(new TextEncoder().encode(secret.value));
}
