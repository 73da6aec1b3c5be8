/**
 * Tickets: browsers can send no headers with a WebSocket or an EventSource, and a token does not belong into an address. A
 * ticket is a signed note of what its bearer may do, good for one connection to one hub within seconds; that hub keeps
 * which have been used, so that no other object has to be asked.
 */
import { errors, jwtVerify, SignJWT } from "jose";
import * as v from "valibot";
import { Filter } from "../../protocol/filter-schema.ts";
import type { Env } from "../env.ts";
import { formatHubName, parseHubName, type HubName } from "../hub/region.ts";
import { Problem } from "../http/problem.ts";
import type { Access } from "./access.ts";

export const TICKET_SECONDS = 30;

const TYPE = "ticket+jwt";
const Claims = v.object({
  jti: v.string(),
  exp: v.number(),
  hub: v.string(),
  access: v.object({
    role: v.picklist(["read", "write"]),
    subject: v.nullable(v.string()),
    holder: v.optional(v.nullable(v.string()), null), // a version before wrote none
    pin: v.nullable(Filter),
    expiresAt: v.nullable(v.number()),
  }),
});

export interface Ticket {
  readonly id: string;
  readonly access: Access;
  readonly hub: HubName;
  /** ms since 1970. */
  readonly expiresAt: number;
}

type Secrets = Pick<Env, "INGEST_SECRET" | "INGEST_SECRET_PREVIOUS">;

/** A new ticket, as text for `?ticket=`. */
export async function mintTicket(
  env: Secrets,
  access: Access,
  hub: HubName,
  now = Date.now(),
): Promise<{ text: string; expiresAt: number }> {
  const exp = Math.floor(now / 1000) + TICKET_SECONDS;
  const text = await new SignJWT({ access: { ...access }, hub: formatHubName(hub) })
    .setProtectedHeader({ alg: "HS256", typ: TYPE })
    .setJti(crypto.randomUUID())
    .setExpirationTime(exp)
    .sign(await keyFrom(env.INGEST_SECRET));
  return { text, expiresAt: exp * 1000 };
}

/** @throws {Problem} `bad_ticket` when it is none of ours, or too old. */
export async function openTicket(env: Secrets, text: string): Promise<Ticket> {
  for (const secret of [env.INGEST_SECRET, env.INGEST_SECRET_PREVIOUS]) {
    if (!secret) continue;
    try {
      const { payload } = await jwtVerify(text, await keyFrom(secret), { algorithms: ["HS256"], typ: TYPE });
      const { jti, exp, hub, access } = v.parse(Claims, payload);
      return { id: jti, access, hub: parseHubName(hub), expiresAt: exp * 1000 };
    } catch (error) {
      if (error instanceof errors.JWSSignatureVerificationFailed) continue; // signed with the other secret, perhaps
      if (error instanceof errors.JOSEError || error instanceof v.ValiError) break;
      throw error;
    }
  }
  throw badTicket(`The ticket is not one of ours, or older than ${TICKET_SECONDS} seconds`);
}

/** A ticket that cannot be used, whatever the reason: the next one is a POST away. */
export function badTicket(what: string): Problem {
  return new Problem("bad_ticket", `${what}: fetch a new one with POST /api/ticket.`, {
    issues: [{ field: "ticket", message: "is used, too old, or none" }],
  });
}

/** A key of its own, so that no ticket is worth anything at /internal, and no other JWT is a ticket. */
async function keyFrom(secret: string): Promise<CryptoKey> {
  const encoder = new TextEncoder();
  const material = await crypto.subtle.importKey("raw", encoder.encode(secret), "HKDF", false, ["deriveKey"]);
  return crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: encoder.encode("rowcast ticket v1") },
    material,
    { name: "HMAC", hash: "SHA-256", length: 256 },
    false,
    ["sign", "verify"],
  );
}
