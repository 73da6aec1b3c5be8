/**
 * How long a request took and where: `Server-Timing` for who asks (the browser's tools draw it), a log line for who runs
 * this. Within a Worker the clock stands still but for input and output, so that is what is measured.
 */
import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import type { Database } from "../database/database.ts";
import { logEvent } from "../log.ts";
import { readWord } from "../settings.ts";
import type { AppEnv } from "./app-env.ts";

/** A request that takes longer is worth a line. */
const SLOW_MS = 1000;

/** Writes `Server-Timing: db;dur=3, total;dur=5` on every answer, and the line of a request that is slow. */
export const timed = createMiddleware<AppEnv>(async (c, next) => {
  const timings = new Map<string, number>();
  c.set("timings", timings);
  const startedAt = Date.now();
  await next();
  const ms = Date.now() - startedAt;
  const parts = [...timings, ["total", ms] as const].map(([name, dur]) => `${name};dur=${dur}`);
  c.res.headers.set("Server-Timing", parts.join(", "));
  if (ms > SLOW_MS || readWord(c.env, "LOG_REQUESTS") === "all") {
    logEvent("info", "request", {
      requestId: c.get("requestId"),
      method: c.req.method,
      // Not the query: it may hold a ticket, and names of customers.
      path: c.req.path.slice(0, 200),
      status: c.res.status,
      ms,
      ...Object.fromEntries(timings),
    });
  }
});

/** Does the work, its time added to this request's under the name. */
export async function timing<T>(c: Context<AppEnv>, name: "db" | "log", work: () => Promise<T>): Promise<T> {
  const startedAt = Date.now();
  try {
    return await work();
  } finally {
    const timings = c.get("timings");
    timings?.set(name, (timings.get(name) ?? 0) + Date.now() - startedAt);
  }
}

/** The same database, its statements timed as `db`. */
export function timedDatabase(c: Context<AppEnv>, database: Database): Database {
  return { query: (text, params, options) => timing(c, "db", () => database.query(text, params, options)) };
}
