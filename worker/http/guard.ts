/** What stands before every route of the API: security headers, the sites that may call it, and how often. */
import { cors } from "hono/cors";
import type { Context, MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import { NONCE, secureHeaders } from "hono/secure-headers";
import { isAllowedOrigin } from "../access/origins.ts";
import { readWord } from "../settings.ts";
import type { AppEnv } from "./app-env.ts";
import { addressOf } from "./caller.ts";
import { Problem } from "./problem.ts";

/** The windows of wrangler.toml's limits are this long. */
const LIMIT_SECONDS = 60;

/** The headers of a 101 cannot be changed; every other answer gets its own. */
export function unlessUpgraded(middleware: MiddlewareHandler<AppEnv>): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    if (c.req.header("Upgrade") === undefined) return middleware(c, next);
    await next();
    if (c.res.status === 101) return;
    c.res = new Response(c.res.body, c.res); // one that came from an object cannot be changed
    await middleware(c, () => Promise.resolve());
  };
}

/** JSON is all that is answered here, but for the docs page, which has a style sheet within. */
export const headers = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    styleSrc: [NONCE], // of the docs page
    frameAncestors: ["'none'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
  },
  strictTransportSecurity: "max-age=15552000", // of this host; its siblings are their owner's business
  referrerPolicy: "no-referrer",
  xFrameOptions: "DENY",
  crossOriginResourcePolicy: false, // CORS decides
});

/** Every answer says which request it answers: the log says it too. (An answer that is a Response has not been told.) */
export const named = createMiddleware<AppEnv>(async (c, next) => {
  await next();
  c.res.headers.set("X-Request-Id", c.get("requestId") ?? "");
});

/** Pages of ALLOWED_ORIGINS may read the answers; cookies are never used, so never allowed. */
export const sites = createMiddleware<AppEnv>((c, next) =>
  cors({
    origin: (origin) => (origin !== "" && isAllowedOrigin(c.env, origin, c.req.url) ? origin : null),
    allowMethods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    allowHeaders: [
      "Authorization",
      "Content-Type",
      "Idempotency-Key",
      "If-Match",
      "If-None-Match",
      "Last-Event-ID",
    ],
    exposeHeaders: [
      "ETag",
      "Location",
      "Retry-After",
      "Idempotency-Replayed",
      "X-Request-Id",
      "Server-Timing",
    ],
    maxAge: 7200,
  })(c, next),
);

/**
 * So many requests a minute from one token or address, counted by the platform at each of its places.
 *
 * @throws {Problem} `too_many_requests`.
 */
export const limits = createMiddleware<AppEnv>(async (c, next) => {
  const { holder } = c.get("access");
  const isRead = ["GET", "HEAD", "OPTIONS"].includes(c.req.method);
  await count(c, isRead ? c.env.READ_LIMIT : c.env.WRITE_LIMIT, holder);
  await next();
});

/**
 * So many streams and tickets a minute from one address, whoever asks: counted first of all, so that a flood costs no
 * checks of tokens and reaches no object.
 *
 * @throws {Problem} `too_many_requests`.
 */
export const arrivals = createMiddleware<AppEnv>(async (c, next) => {
  await count(c, c.env.CONNECT_LIMIT, null);
  await next();
});

/**
 * As many of one token, from wherever.
 *
 * @throws {Problem} `too_many_requests`.
 */
export const arrivalsOfToken = createMiddleware<AppEnv>(async (c, next) => {
  const { holder } = c.get("access");
  if (holder !== null) await count(c, c.env.CONNECT_LIMIT, holder);
  await next();
});

/**
 * Somebody's token or ticket was refused: whoever tries many is slowed down.
 *
 * @throws {Problem} `too_many_requests`.
 */
export async function countRefusal(c: Context<AppEnv>): Promise<void> {
  await count(c, c.env.READ_LIMIT, null);
}

/** @param who null for whoever is at that address. */
async function count(c: Context<AppEnv>, limit: RateLimit | undefined, who: string | null): Promise<void> {
  if (limit === undefined || readWord(c.env, "RATE_LIMITS") === "off") return;
  const { success } = await limit.limit({ key: who ?? `address ${await addressOf(c.req.raw)}` });
  if (success) return;
  throw new Problem("too_many_requests", "Too many requests in a minute: slow down.", {
    headers: { "Retry-After": String(LIMIT_SECONDS) },
  });
}
