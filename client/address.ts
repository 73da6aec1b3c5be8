import { filterToSearch } from "../protocol/filter.ts";
import type { Filter } from "../protocol/filter.ts";
import type { Transport } from "./states.ts";

/**
 * The address of a stream: `<base>/ws` or `<base>/sse` with `since`, `filter` and `fold` in the query; `lean` for a WebSocket.
 *
 * @param base http or https, with or without a path.
 * @throws {TypeError} when `base` is not such an address.
 */
export function streamAddress(
  base: string,
  transport: Transport,
  since: string | null,
  filter: Filter | null,
  fold = false,
): string {
  const url = new URL(base);
  if (!/^https?:$/.test(url.protocol))
    throw new TypeError(`url starts with http:// or https://, not ${base}`);
  url.pathname = url.pathname.replace(/\/*$/, transport === "sse" ? "/sse" : "/ws");
  url.hash = "";
  if (transport === "websocket") url.protocol = url.protocol.replace("http", "ws");
  const search = {
    ...filterToSearch(filter),
    ...(since === null ? {} : { since }),
    ...(fold ? { fold: "1" } : {}),
    ...(transport === "websocket" ? { lean: "1" } : {}),
  };
  for (const [name, value] of Object.entries(search)) url.searchParams.set(name, value);
  return url.href;
}

/**
 * `/api/ticket` beside the streams.
 *
 * @param base as for `streamAddress`.
 */
export function ticketAddress(base: string): string {
  const url = new URL(base);
  url.pathname = url.pathname.replace(/\/*$/, "/api/ticket");
  url.search = "";
  url.hash = "";
  return url.href;
}

/** The address with a ticket. */
export function withTicket(address: string, ticket: string): string {
  const url = new URL(address);
  url.searchParams.set("ticket", ticket);
  return url.href;
}
