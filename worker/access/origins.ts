/** From which sites a browser may come. Browsers apply no CORS to WebSockets, so this is asked before each upgrade. */
import type { Env } from "../env.ts";
import { Problem } from "../http/problem.ts";
import { readOrigins } from "../settings.ts";

/** Whether a page of this origin may use the API; the Worker's own always may. */
export function isAllowedOrigin(env: Pick<Env, "ALLOWED_ORIGINS">, origin: string, url: string): boolean {
  const allowed = readOrigins(env);
  return allowed.includes("*") || allowed.includes(origin) || isSameSite(origin, url);
}

/**
 * Behind a proxy (`wrangler dev` is one) the Worker sees http where the browser said https: host and port decide.
 */
function isSameSite(origin: string, url: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === new URL(url).host;
}

/**
 * No Origin means no browser: then there is no cookie or address of somebody else to be misused.
 *
 * @throws {Problem} `origin_not_allowed`.
 */
export function requireOrigin(env: Pick<Env, "ALLOWED_ORIGINS">, request: Request): void {
  const origin = request.headers.get("Origin");
  if (origin === null || isAllowedOrigin(env, origin, request.url)) return;
  throw new Problem(
    "origin_not_allowed",
    "Pages of this origin may not use the stream: add it to ALLOWED_ORIGINS.",
    { issues: [{ field: "Origin", message: "is not among ALLOWED_ORIGINS" }] },
  );
}
