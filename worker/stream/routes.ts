/** The streams: `/ws` goes to a Hub as it is, `/sse` through an adapter here. */
import { type Context, Hono } from "hono";
import { requireRole } from "../access/access.ts";
import { authenticate } from "../access/authenticate.ts";
import { requireOrigin } from "../access/origins.ts";
import { addressOf } from "../http/caller.ts";
import { arrivals, arrivalsOfToken } from "../http/guard.ts";
import type { AppEnv } from "../http/app-env.ts";
import { allowMethods, requireUpgrade } from "../http/validation.ts";
import { readStreamAddress, type StreamAddress } from "./address.ts";
import { enterHub } from "./enter.ts";
import { SSE_HEADERS, sseStream } from "./sse.ts";

const NOT_A_SOCKET = "This is a WebSocket: connect with ws:// or wss://, or read /sse over HTTP.";

export const streams = new Hono<AppEnv>()
  .use("/ws", allowMethods("GET"), arrivals, authenticate({ tickets: true }), arrivalsOfToken)
  .use("/sse", allowMethods("GET"), arrivals, authenticate({ tickets: true }), arrivalsOfToken)
  // No middleware touches this answer: the headers of a 101 cannot be changed.
  .get("/ws", requireUpgrade(NOT_A_SOCKET), (c) =>
    enter(c, readStreamAddress(new URL(c.req.url).searchParams)),
  )
  .get("/sse", async (c) => {
    const address = readStreamAddress(new URL(c.req.url).searchParams, c.req.header("Last-Event-ID"));
    // Each event is a change by itself.
    const answer = await enter(c, { ...address, lean: false });
    if (!answer.webSocket) return answer;
    return new Response(sseStream(answer.webSocket, c.req.raw.signal), { headers: SSE_HEADERS });
  });

/** Asks the client's hub for a socket, once it is certain that the caller may read. */
async function enter(c: Context<AppEnv>, address: StreamAddress): Promise<Response> {
  requireOrigin(c.env, c.req.raw);
  const access = c.get("access");
  requireRole(access, "read");
  const { holder, pin, expiresAt } = access;
  const { answer } = await enterHub(c.env, {
    cf: c.req.raw.cf as IncomingRequestCfProperties | undefined,
    search: new URL(c.req.url).searchParams,
    address,
    bearer: { holder, pin, expiresAt, address: await addressOf(c.req.raw) },
    ticket: c.get("ticket"),
  });
  return answer;
}
