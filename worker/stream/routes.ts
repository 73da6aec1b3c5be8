/** The streams: `/ws` goes to a Hub as it is, `/sse` through an adapter here. */
import { type Context, Hono } from "hono";
import { requireRole } from "../access/access.ts";
import { authenticate } from "../access/authenticate.ts";
import { requireOrigin } from "../access/origins.ts";
import type { Ticket } from "../access/tickets.ts";
import type { Bearer } from "../hub/attachment.ts";
import { BEARER_HEADER, SHARDS_HEADER, TICKET_HEADER } from "../hub/door.ts";
import { addressOf } from "../http/caller.ts";
import { limits } from "../http/guard.ts";
import { filterToSearch } from "../../protocol/filter.ts";
import { formatPosition } from "../../protocol/position.ts";
import type { AppEnv } from "../http/app-env.ts";
import { allowMethods, requireUpgrade } from "../http/validation.ts";
import { hub } from "../objects.ts";
import { chooseHub, learnShards, readStreamAddress, type StreamAddress } from "./address.ts";
import { SSE_HEADERS, sseStream } from "./sse.ts";

const NOT_A_SOCKET = "This is a WebSocket: connect with ws:// or wss://, or read /sse over HTTP.";

export const streams = new Hono<AppEnv>()
  .use("/ws", allowMethods("GET"), authenticate({ tickets: true }), limits)
  .use("/sse", allowMethods("GET"), authenticate({ tickets: true }), limits)
  // No middleware touches this answer: the headers of a 101 cannot be changed.
  .get("/ws", requireUpgrade(NOT_A_SOCKET), (c) =>
    enter(c, readStreamAddress(new URL(c.req.url).searchParams)),
  )
  .get("/sse", async (c) => {
    const address = readStreamAddress(new URL(c.req.url).searchParams, c.req.header("Last-Event-ID"));
    const answer = await enter(c, address);
    if (!answer.webSocket) return answer;
    return new Response(sseStream(answer.webSocket, c.req.raw.signal), { headers: SSE_HEADERS });
  });

/** Hubs may not agree for a moment on how many of them there are: then the last one asked lets the client in. */
const MAX_CHOICES = 3;

/** Asks the client's hub for a socket, once it is certain that the caller may read. */
async function enter(c: Context<AppEnv>, address: StreamAddress): Promise<Response> {
  requireOrigin(c.env, c.req.raw);
  const [access, ticket] = [c.get("access"), c.get("ticket")];
  requireRole(access, "read");
  const cf = c.req.raw.cf as IncomingRequestCfProperties | undefined;
  const { subject, pin, expiresAt } = access;
  const bearer: Bearer = { subject, pin, expiresAt, address: await addressOf(c.req.raw) };
  for (let choices = 1; ; choices += 1) {
    const { name, shards } = ticket
      ? { name: ticket.hub, shards: null }
      : chooseHub(c.env, cf, new URL(c.req.url).searchParams);
    const request = hubRequest(address, bearer, ticket);
    if (shards !== null && choices < MAX_CHOICES) request.headers.set(SHARDS_HEADER, String(shards));
    const answer = await hub(c.env, name).fetch(request);
    learnShards(name, answer.headers);
    if (answer.status !== 421) return answer;
  }
}

/** What a Hub is asked, whatever the client's own request looked like. */
function hubRequest({ since, filter, fold }: StreamAddress, bearer: Bearer, ticket?: Ticket): Request {
  const search = new URLSearchParams({
    ...filterToSearch(filter),
    ...(since && { since: formatPosition(since) }),
    ...(fold && { fold: "1" }),
  });
  return new Request(`https://hub/?${search.toString()}`, {
    headers: {
      Upgrade: "websocket",
      // Headers hold ASCII only.
      [BEARER_HEADER]: JSON.stringify(bearer).replaceAll(/[^\x20-\x7e]/g, escapeUnit),
      ...(ticket && { [TICKET_HEADER]: `${ticket.id} ${ticket.expiresAt}` }),
    },
  });
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
