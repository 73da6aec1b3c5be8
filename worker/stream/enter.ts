/** From the Worker to a Hub: choosing one, and asking it for a socket. */
import { filterToSearch } from "../../protocol/filter.ts";
import { formatPosition } from "../../protocol/position.ts";
import type { Ticket } from "../access/tickets.ts";
import type { Env } from "../env.ts";
import type { Bearer } from "../hub/attachment.ts";
import { BEARER_HEADER, SHARDS_HEADER, TICKET_HEADER } from "../hub/door.ts";
import type { HubName } from "../hub/region.ts";
import { hub } from "../objects.ts";
import { chooseHub, learnShards, type StreamAddress } from "./address.ts";

/** Hubs may not agree for a moment on how many of them there are: then the last one asked lets the client in. */
const MAX_CHOICES = 3;

/** Who wants what. `search` may choose the hub where that is allowed. */
export interface Entrance {
  readonly cf: IncomingRequestCfProperties | undefined;
  readonly search: URLSearchParams;
  readonly address: StreamAddress;
  readonly bearer: Bearer;
  readonly ticket?: Ticket | undefined;
}

/** Asks the hub of somebody who may read for a socket: its answer is a 101, or a problem. */
export async function enterHub(
  env: Env,
  { cf, search, address, bearer, ticket }: Entrance,
): Promise<{ answer: Response; name: HubName }> {
  for (let choices = 1; ; choices += 1) {
    const { name, shards } = ticket ? { name: ticket.hub, shards: null } : chooseHub(env, cf, search);
    const request = hubRequest(address, bearer, ticket);
    if (shards !== null && choices < MAX_CHOICES) request.headers.set(SHARDS_HEADER, String(shards));
    const answer = await hub(env, name).fetch(request);
    learnShards(name, answer.headers);
    if (answer.status !== 421) return { answer, name };
  }
}

/** What a Hub is asked, whatever the client's own request looked like. */
function hubRequest({ since, filter, fold, lean }: StreamAddress, bearer: Bearer, ticket?: Ticket): Request {
  const search = new URLSearchParams({
    ...filterToSearch(filter),
    ...(since && { since: formatPosition(since) }),
    ...(fold && { fold: "1" }),
    ...(lean && { lean: "1" }),
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
