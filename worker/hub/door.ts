/** Who may come into a Hub: tickets are used once, and nobody holds more sockets than they may. */
import type { Env } from "../env.ts";
import { badTicket } from "../access/tickets.ts";
import { Problem } from "../http/problem.ts";
import { readNumber } from "../settings.ts";
import type { Bearer } from "./attachment.ts";
import type { HubName } from "./region.ts";

/** How the Worker tells a Hub whom it sends: headers that only the Worker writes, on a request that it makes. */
export const BEARER_HEADER = "X-Rowcast-Bearer";
export const TICKET_HEADER = "X-Rowcast-Ticket";

/**
 * How many shards a region has. A Worker says from how many it has chosen; a Hub says how many there are, with the socket
 * or instead of it.
 */
export const SHARDS_HEADER = "X-Rowcast-Shards";

/**
 * Whether the client should be let in elsewhere: the Worker has chosen from more or fewer shards than there are. Without
 * the header nobody has chosen: a ticket names its hub, and whoever is too many is asked to move later.
 */
export function isElsewhere(headers: Headers, { level }: HubName, shards: number): boolean {
  const known = headers.get(SHARDS_HEADER);
  return level === 0 && known !== null && Number(known) !== shards;
}

/** Choose anew, from so many. For the Worker only. */
export function redirect(shards: number): Response {
  return new Response(null, { status: 421, headers: { [SHARDS_HEADER]: String(shards) } });
}

/** @throws {Problem} `unavailable` when the Worker that asks is of a version that does not say whom it sends. */
export function readBearer(headers: Headers): Bearer {
  const text = headers.get(BEARER_HEADER);
  // A version before told no holder: nobody's.
  if (text !== null) return { holder: null, ...(JSON.parse(text) as Omit<Bearer, "holder">) };
  throw new Problem("unavailable", "The Worker is being replaced by another version: come back.", {
    headers: { "Retry-After": "5" },
  });
}

export interface Caps {
  /** 0: any number. */
  readonly perAddress: number;
  readonly perToken: number;
}

export function readCaps(env: Pick<Env, "MAX_SOCKETS_PER_ADDRESS" | "MAX_SOCKETS_PER_TOKEN">): Caps {
  return {
    perAddress: readNumber(env, "MAX_SOCKETS_PER_ADDRESS"),
    perToken: readNumber(env, "MAX_SOCKETS_PER_TOKEN"),
  };
}

/**
 * @param present the bearers of the sockets that are open, and of those about to be.
 * @throws {Problem} `too_many_sockets`.
 */
export function requireRoom(caps: Caps, bearer: Bearer, present: Iterable<Bearer>): void {
  let [ofAddress, ofToken] = [0, 0];
  for (const { address, holder } of present) {
    if (bearer.address !== "" && address === bearer.address) ofAddress += 1;
    if (bearer.holder !== null && holder === bearer.holder) ofToken += 1;
  }
  if (caps.perAddress > 0 && ofAddress >= caps.perAddress) throw tooMany("address", caps.perAddress);
  if (caps.perToken > 0 && ofToken >= caps.perToken) throw tooMany("token", caps.perToken);
}

function tooMany(of: "address" | "token", cap: number): Problem {
  return new Problem("too_many_sockets", `This ${of} holds ${cap} streams here already: close some.`, {
    headers: { "Retry-After": "30" },
  });
}

/** The tickets that have been used, until they would have run out anyway. */
export class UsedTickets {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS tickets (id TEXT PRIMARY KEY, expires INTEGER NOT NULL) WITHOUT ROWID",
    );
  }

  /** @throws {Problem} `bad_ticket` at the second time. */
  use(id: string, expiresAt: number, now: number): void {
    this.#sql.exec("DELETE FROM tickets WHERE expires < ?", now - GRACE_MS);
    const { rowsWritten } = this.#sql.exec(
      "INSERT OR IGNORE INTO tickets (id, expires) VALUES (?, ?)",
      id,
      expiresAt,
    );
    if (rowsWritten === 0) throw badTicket("The ticket has been used");
  }
}

/** The Worker's clock, which lets a ticket in, may be behind the Hub's. */
const GRACE_MS = 60_000;
