/** Who is asking, for every route behind it. */
import { createMiddleware } from "hono/factory";
import type { AppEnv } from "../http/app-env.ts";
import { countRefusal } from "../http/guard.ts";
import { Problem } from "../http/problem.ts";
import { anonymous, requireRole } from "./access.ts";
import { openTicket } from "./tickets.ts";
import { openToken } from "./tokens.ts";

/**
 * Sets `access` from the bearer token, else (on streams) from the ticket, else for somebody unknown. A token that is not
 * accepted is an error even where none is needed: its bearer believes to be somebody.
 */
export function authenticate(options: { tickets?: boolean } = {}) {
  return createMiddleware<AppEnv>(async (c, next) => {
    const header = c.req.header("Authorization");
    const ticket = options.tickets === true ? c.req.query("ticket") : undefined;
    try {
      if (header !== undefined) c.set("access", await openToken(c.env, tokenIn(header)));
      else if (ticket !== undefined) {
        const opened = await openTicket(c.env, ticket);
        c.set("access", opened.access);
        c.set("ticket", opened);
      } else c.set("access", anonymous(c.env));
    } catch (error) {
      await countRefusal(c);
      throw error;
    }
    await next();
  });
}

function tokenIn(header: string): string {
  const token = /^Bearer +([\w.~+/=-]+) *$/i.exec(header)?.[1];
  if (token !== undefined) return token;
  throw new Problem("unauthorized", "Authorization has to be: Bearer <token>.", {
    headers: { "WWW-Authenticate": 'Bearer realm="rowcast"' },
    issues: [{ field: "Authorization", message: "has to be Bearer and a token" }],
  });
}

/** Reading needs the role `read`, everything else `write`. */
export const roleByMethod = createMiddleware<AppEnv>(async (c, next) => {
  requireRole(c.get("access"), ["GET", "HEAD", "OPTIONS"].includes(c.req.method) ? "read" : "write");
  await next();
});
