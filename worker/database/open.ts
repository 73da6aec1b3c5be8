/** Which adapter an environment means. */
import type { Env } from "../env.ts";
import { Problem } from "../http/problem.ts";
import { readNumber } from "../settings.ts";
import type { Database, Lifetime } from "./database.ts";
import { neonDatabase } from "./neon.ts";
import { postgresDatabase } from "./postgres.ts";
import { withRetries } from "./retry.ts";

/**
 * Opens the configured database; connects only when asked something. Hyperdrive when bound; Neon over HTTP for a Neon
 * host (or wherever NEON_FETCH_ENDPOINT plays it); otherwise TCP.
 *
 * @param lifetime the request's; an object, which lives as long as its sockets, needs none.
 * @throws {Problem} `database_not_configured` when DATABASE_URL is missing or not an address of Postgres.
 */
export function openDatabase(
  env: Pick<
    Env,
    "DATABASE_URL" | "HYPERDRIVE" | "NEON_FETCH_ENDPOINT" | "DATABASE_PATIENCE_MS" | "DATABASE_TIMEOUT_MS"
  >,
  lifetime?: Lifetime,
): Database {
  return withRetries(openAdapter(env, lifetime), readNumber(env, "DATABASE_PATIENCE_MS"));
}

function openAdapter(
  env: Pick<Env, "DATABASE_URL" | "HYPERDRIVE" | "NEON_FETCH_ENDPOINT" | "DATABASE_TIMEOUT_MS">,
  lifetime?: Lifetime,
): Database {
  const timeoutMs = readNumber(env, "DATABASE_TIMEOUT_MS");
  if (env.HYPERDRIVE) return postgresDatabase(env.HYPERDRIVE.connectionString, timeoutMs, lifetime);
  const { address, host } = readAddress(env.DATABASE_URL);
  if (env.NEON_FETCH_ENDPOINT || host.endsWith(".neon.tech")) {
    return neonDatabase(address, timeoutMs, env.NEON_FETCH_ENDPOINT);
  }
  return postgresDatabase(address, timeoutMs, lifetime);
}

/** Checked here because the drivers quote the whole address, password included, when they do not like it. */
function readAddress(address: string | undefined): { address: string; host: string } {
  if (!address) {
    throw new Problem(
      "database_not_configured",
      'DATABASE_URL is not set. Put it into .dev.vars, or: npx wrangler secret put DATABASE_URL --env ""',
    );
  }
  const url = URL.canParse(address) ? new URL(address) : null;
  if (!url || !/^postgres(ql)?:$/.test(url.protocol) || url.hostname === "" || url.pathname.length < 2) {
    throw new Problem(
      "database_not_configured",
      "DATABASE_URL is not an address like postgres://user:password@host:5432/database " +
        "(special characters in the password are written as %40 and the like).",
    );
  }
  const file = ["sslrootcert", "sslcert", "sslkey"].find(
    (name) => (url.searchParams.get(name) ?? "system") !== "system",
  );
  if (file !== undefined) {
    throw new Problem(
      "database_not_configured",
      `DATABASE_URL names a file (${file}), and a Worker has none: take it out. What is certified by an authority of your ` +
        "own is reached through Hyperdrive (docs/configuration.md).",
    );
  }
  return { address, host: url.hostname.toLowerCase() };
}
