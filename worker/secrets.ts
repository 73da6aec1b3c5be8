/** Secrets compared so that the time taken says nothing about them. */
import type { Env } from "./env.ts";
import { sha256 } from "./hash.ts";
import { Problem } from "./http/problem.ts";

/** Below this a secret can be guessed. */
const MIN_SECRET_CHARS = 16;

/**
 * Lets the listener in: `Authorization: Bearer` with the present ingest secret, or the previous one while they rotate.
 *
 * @throws {Problem} `unauthorized`, or `unavailable` when no secret is configured here.
 */
export async function requireIngestSecret(env: Env, authorization: string | undefined): Promise<void> {
  const secrets = [env.INGEST_SECRET, env.INGEST_SECRET_PREVIOUS].filter(
    (secret): secret is string => secret !== undefined && secret.length >= MIN_SECRET_CHARS,
  );
  if (secrets.length === 0) {
    throw new Problem(
      "unavailable",
      `INGEST_SECRET is not set, or shorter than ${MIN_SECRET_CHARS} characters: npx wrangler secret put INGEST_SECRET --env ""`,
    );
  }
  const given = /^Bearer +(.+)$/i.exec(authorization ?? "")?.[1] ?? "";
  // Every secret is compared, so that the time does not say which one fitted.
  const matches = await Promise.all(secrets.map((secret) => equal(given, secret)));
  if (!matches.includes(true)) {
    throw new Problem(
      "unauthorized",
      "Authorization: Bearer <INGEST_SECRET> is missing or is not the secret set here.",
      {
        headers: { "WWW-Authenticate": 'Bearer realm="rowcast"' },
        issues: [
          { field: "Authorization", message: "has to be Bearer and the INGEST_SECRET of this Worker" },
        ],
      },
    );
  }
}

/** Hashes have one length, whatever the secrets have: `timingSafeEqual` throws on different ones. */
async function equal(a: string, b: string): Promise<boolean> {
  const [hashA, hashB] = await Promise.all([sha256(a), sha256(b)]);
  return crypto.subtle.timingSafeEqual(hashA, hashB);
}
