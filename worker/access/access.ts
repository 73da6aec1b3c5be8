/** Who is asking, and what they may do. Made by authenticate.ts, asked for by the routes. */
import type { Filter } from "../../protocol/filter.ts";
import type { Env } from "../env.ts";
import { Problem } from "../http/problem.ts";
import { readWord } from "../settings.ts";

/** `write` includes `read`. */
export type Role = "none" | "read" | "write";

export interface Access {
  readonly role: Role;
  /** `sub` of the token; null for nobody in particular. */
  readonly subject: string | null;
  /** Whom caps and limits count: the token's subject, or the token itself where it has none; null for nobody in particular. */
  readonly holder: string | null;
  /** What of the data exists for them (protocol/pin.ts); null for all of it. */
  readonly pin: Filter | null;
  /** ms since 1970; null for never. */
  readonly expiresAt: number | null;
}

/** What somebody without a token may do: nothing, unless ANONYMOUS says so. */
export function anonymous(env: Pick<Env, "ANONYMOUS">): Access {
  const role = readWord(env, "ANONYMOUS") ?? "none";
  return { role, subject: null, holder: null, pin: null, expiresAt: null };
}

/**
 * @throws {Problem} `unauthorized` when there is no token and one is needed; `forbidden` when the token's role does not
 *   reach so far.
 */
export function requireRole(access: Access, role: "read" | "write"): void {
  if (access.role === "write" || access.role === role) return;
  if (access.subject === null && access.expiresAt === null) {
    throw new Problem(
      "unauthorized",
      `A token with the role ${role} is needed here: Authorization: Bearer <token>.`,
      { headers: { "WWW-Authenticate": 'Bearer realm="rowcast"' } },
    );
  }
  throw new Problem("forbidden", `The token has the role ${access.role}; this needs ${role}.`, {
    headers: { "WWW-Authenticate": `Bearer realm="rowcast", error="insufficient_scope", scope="${role}"` },
  });
}
