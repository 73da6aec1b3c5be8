/** The one client of the page, and what is known of its connection. */
import { effect, signal } from "@preact/signals";
import { toSignal } from "../../client/adapters/preact.ts";
import { createClient } from "../../client/index.ts";
import { readToken } from "../token.ts";
import { createGate } from "./connection-gate.ts";
import { forcedTransports } from "./words.ts";

const [onlyOne] = forcedTransports(location.search) ?? [];
const gate = createGate(onlyOne === "sse");

const token = readToken();

export const client = createClient({
  url: location.origin,
  // by the page's own gate SSE can be left again, which this could not
  ...(onlyOne === "websocket" && { transports: ["websocket"] as const }),
  ...(token !== undefined && { token }),
  env: gate.env,
});

export const connection = toSignal(client.state);
export const serverStatus = toSignal(client.status);

/** Whether the page has been told to use SSE only; null when it has been told to use nothing but WebSocket. */
export const sseForced = signal(onlyOne === "websocket" ? null : onlyOne === "sse");

/** While one transport is left for the other on purpose: what fails then is no error. */
export const isSwitching = signal(onlyOne === "sse");

export function forceSse(on: boolean): void {
  if (sseForced.peek() === null || sseForced.peek() === on) return;
  sseForced.value = on;
  // kept in the address, so that the page comes back the same way
  const address = new URL(location.href);
  if (on) address.searchParams.set("transport", "sse");
  else address.searchParams.delete("transport");
  history.replaceState(null, "", address);
  gate.force(on);
  isSwitching.value = true;
  client.reconnect();
}

/** When the page last was up to date, in ms since 1970; null while it is, and before the first time. */
export const staleSince = signal<number | null>(null);

let wasLive = false;
let hurried = 0;
effect(() => {
  const { name } = connection.value;
  if (name === "live") {
    wasLive = true;
    staleSince.value = null;
    isSwitching.value = false;
    hurried = 0;
    return;
  }
  if (wasLive) {
    wasLive = false;
    staleSince.value = Date.now();
  }
  // a transport that was refused by ourselves is no reason to wait; a server that is away besides is one
  if (name === "waiting" && isSwitching.peek() && hurried++ < MAX_HURRIED)
    queueMicrotask(() => client.reconnect());
  else if (name !== "connecting" && name !== "catching-up") isSwitching.value = false;
});

/** Falling back takes two failures. */
const MAX_HURRIED = 3;
