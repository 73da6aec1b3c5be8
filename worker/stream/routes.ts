/** The streams: `/ws` goes to a Hub as it is, `/sse` through an adapter here. */
import { Hono } from "hono";
import { filterToSearch } from "../../protocol/filter.ts";
import { formatPosition } from "../../protocol/position.ts";
import type { AppEnv } from "../http/app-env.ts";
import { Problem } from "../http/problem.ts";
import { allowMethods } from "../http/validation.ts";
import { hub } from "../objects.ts";
import { chooseHub, readStreamAddress, type StreamAddress } from "./address.ts";
import { SSE_HEADERS, sseStream } from "./sse.ts";

export const streams = new Hono<AppEnv>()
  .use("/ws", allowMethods("GET"))
  .use("/sse", allowMethods("GET"))
  .get("/ws", (c) => {
    if (c.req.header("Upgrade")?.toLowerCase() !== "websocket") {
      throw new Problem(
        "upgrade_required",
        "This is a WebSocket: connect with ws:// or wss://, or read /sse over HTTP.",
        {
          headers: { Upgrade: "websocket", Connection: "Upgrade" },
        },
      );
    }
    const url = new URL(c.req.url);
    const address = readStreamAddress(url.searchParams);
    const name = chooseHub(c.env, c.req.raw.cf as IncomingRequestCfProperties | undefined, url.searchParams);
    // No middleware touches this answer: the headers of a 101 cannot be changed.
    return hub(c.env, name).fetch(hubRequest(address));
  })
  .get("/sse", async (c) => {
    const url = new URL(c.req.url);
    const address = readStreamAddress(url.searchParams, c.req.header("Last-Event-ID"));
    const name = chooseHub(c.env, c.req.raw.cf as IncomingRequestCfProperties | undefined, url.searchParams);
    const { webSocket } = await hub(c.env, name).fetch(hubRequest(address));
    if (!webSocket)
      throw new Problem("unavailable", "The hub did not take the stream.", {
        headers: { "Retry-After": "1" },
      });
    return new Response(sseStream(webSocket, c.req.raw.signal), { headers: SSE_HEADERS });
  });

/** What a Hub is asked, whatever the client's own request looked like. */
function hubRequest({ since, filter, fold }: StreamAddress): Request {
  const search = new URLSearchParams({
    ...filterToSearch(filter),
    ...(since && { since: formatPosition(since) }),
    ...(fold && { fold: "1" }),
  });
  return new Request(`https://hub/?${search.toString()}`, { headers: { Upgrade: "websocket" } });
}
