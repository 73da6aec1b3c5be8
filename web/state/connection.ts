/** The one client of the page, and what is known of its connection. */
import { effect, signal } from "@preact/signals";
import { createClient } from "../../client/index.ts";
import { readToken } from "../token.ts";
import { observe } from "./observe.ts";
import { forcedTransports } from "./words.ts";

const transports = forcedTransports(location.search);

const token = readToken();

export const client = createClient({
  url: location.origin,
  ...(transports && { transports }),
  ...(token !== undefined && { token }),
});

export const connection = observe(client.state);
export const serverStatus = observe(client.status);

/** When the page last was up to date, in ms since 1970; null while it is, and before the first time. */
export const staleSince = signal<number | null>(null);

let wasLive = false;
effect(() => {
  const { name } = connection.value;
  if (name === "live") {
    wasLive = true;
    staleSince.value = null;
  } else if (wasLive) {
    wasLive = false;
    staleSince.value = Date.now();
  }
});
