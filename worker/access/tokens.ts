/**
 * Tokens: JWTs by a shared secret (HS256) or by somebody's public keys (JWKS). The family of `alg` decides which keys are
 * tried, and each kind of key is tried with its own algorithms only: a public key is never a shared secret, `none` is nothing.
 */
import { createRemoteJWKSet, decodeProtectedHeader, errors, jwtVerify, type JWTPayload } from "jose";
import * as v from "valibot";
import { Filter } from "../../protocol/filter-schema.ts";
import type { Env } from "../env.ts";
import { sha256Hex } from "../hash.ts";
import { Problem } from "../http/problem.ts";
import { filterBytes, MAX_PIN_BYTES } from "../hub/attachment.ts";
import type { Access } from "./access.ts";

type TokenEnv = Pick<
  Env,
  "JWT_SECRET" | "JWT_SECRET_PREVIOUS" | "JWT_JWKS_URL" | "JWT_ISSUER" | "JWT_AUDIENCE"
>;

/** HS256 wants a key as long as its hash (RFC 7518, 3.2). */
export const MIN_JWT_SECRET_CHARS = 32;
const ASYMMETRIC = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];
/** Clocks of those who issue and those who check differ a little. */
const TOLERANCE_SECONDS = 5;
const MAX_TOKEN_CHARS = 8192;

const Claims = v.object({
  sub: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(256))),
  exp: v.number(),
  role: v.picklist(["read", "write"], "the claim `role` has to be read or write"),
  filter: v.optional(
    v.pipe(
      Filter,
      v.check((filter) => filterBytes(filter) <= MAX_PIN_BYTES, "the claim `filter` is too large"),
    ),
  ),
});

/**
 * What the bearer of a token may do.
 *
 * @throws {Problem} `token_expired`, or `unauthorized` with what is wrong with it; never with the token.
 */
export async function openToken(env: TokenEnv, token: string): Promise<Access> {
  if (token.length > MAX_TOKEN_CHARS) throw refused(`it is longer than ${MAX_TOKEN_CHARS} characters`);
  const payload = await verify(env, token);
  const claims = v.safeParse(Claims, payload);
  if (!claims.success) throw refused(claims.issues[0].message);
  const { sub, exp, role, filter } = claims.output;
  return {
    role,
    subject: sub ?? "",
    holder: sub === undefined ? `token ${await sha256Hex(signedPart(token), 8)}` : `subject ${sub}`,
    pin: filter ?? null,
    expiresAt: exp * 1000,
  };
}

/** What of a token is signed: the signature behind it can be spelled in more than one way. */
function signedPart(token: string): string {
  return token.slice(0, token.lastIndexOf("."));
}

async function verify(env: TokenEnv, token: string): Promise<JWTPayload> {
  const options = {
    clockTolerance: TOLERANCE_SECONDS,
    requiredClaims: ["exp"],
    ...(env.JWT_ISSUER && { issuer: env.JWT_ISSUER }),
    ...(env.JWT_AUDIENCE && { audience: env.JWT_AUDIENCE }),
  };
  const alg = algorithmOf(token);
  if (!alg.startsWith("HS")) {
    if (!env.JWT_JWKS_URL) throw refused(`${alg} needs JWT_JWKS_URL, which is not set here`);
    if (!URL.canParse(env.JWT_JWKS_URL)) {
      throw new Problem(
        "unavailable",
        "JWT_JWKS_URL is not an address: https://example.com/.well-known/jwks.json",
      );
    }
    const keys = keysAt(env.JWT_JWKS_URL);
    return explain(
      async () => (await jwtVerify(token, keys, { ...options, algorithms: ASYMMETRIC })).payload,
    );
  }
  const secrets = [env.JWT_SECRET, env.JWT_SECRET_PREVIOUS].filter(
    (secret): secret is string => secret !== undefined && secret.length >= MIN_JWT_SECRET_CHARS,
  );
  if (secrets.length === 0) {
    throw refused(
      `HS256 needs JWT_SECRET, which is not set here or is shorter than ${MIN_JWT_SECRET_CHARS} characters`,
    );
  }
  const [present, ...previous] = secrets.map((secret) => new TextEncoder().encode(secret));
  return explain(async () => {
    for (const secret of previous) {
      try {
        return (await jwtVerify(token, secret, { ...options, algorithms: ["HS256"] })).payload;
      } catch (error) {
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error; // signed with it, and wrong
      }
    }
    return (await jwtVerify(token, present ?? new Uint8Array(), { ...options, algorithms: ["HS256"] }))
      .payload;
  });
}

function algorithmOf(token: string): string {
  try {
    const { alg } = decodeProtectedHeader(token);
    if (typeof alg === "string" && /^[\w-]{1,20}$/.test(alg)) return alg;
  } catch {
    // told below, as with a header that names no algorithm
  }
  throw refused("it is not a JWT");
}

/** Fetched once and kept by jose; again when a token names a key that is not among them. */
const jwks = new Map<string, ReturnType<typeof createRemoteJWKSet>>();
function keysAt(url: string): ReturnType<typeof createRemoteJWKSet> {
  let keys = jwks.get(url);
  if (keys === undefined) {
    keys = createRemoteJWKSet(new URL(url));
    jwks.set(url, keys);
  }
  return keys;
}

async function explain<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof errors.JWTExpired) {
      throw new Problem("token_expired", "The token has expired: fetch a new one.", {
        headers: {
          "WWW-Authenticate": 'Bearer realm="rowcast", error="invalid_token", error_description="expired"',
        },
      });
    }
    if (error instanceof errors.JWTClaimValidationFailed)
      throw refused(
        `the claim \`${error.claim}\` is ${error.reason === "missing" ? "missing" : "not what is expected here"}`,
      );
    if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid || isFetchFailure(error)) {
      throw new Problem("unavailable", "The keys that tokens are checked with cannot be fetched right now.", {
        headers: { "Retry-After": "5" },
        cause: error,
      });
    }
    if (error instanceof errors.JOSEError) throw refused("its signature does not fit");
    throw error;
  }
}

/** jose throws its base class when the address answers with an error, and lets fetch's own TypeError through. */
function isFetchFailure(error: unknown): boolean {
  return (
    error instanceof TypeError || (error instanceof errors.JOSEError && error.code === "ERR_JOSE_GENERIC")
  );
}

function refused(why: string): Problem {
  return new Problem("unauthorized", `The token is not accepted: ${why}.`, {
    headers: { "WWW-Authenticate": 'Bearer realm="rowcast", error="invalid_token"' },
    issues: [{ field: "Authorization", message: why }],
  });
}
