import { expect, test } from "vitest";
import { connectionWords, duration, forcedTransports, pillWords } from "./words.ts";

test("a live connection names its transport", () => {
  expect(connectionWords({ name: "live", transport: "websocket" }, 0).text).toBe("Live over WebSocket");
  expect(connectionWords({ name: "live", transport: "sse" }, 0).text).toBe("Live over SSE");
});

test("waiting counts down in whole seconds and never shows zero", () => {
  const waiting = { name: "waiting", retryAt: 10_000, attempt: 1, reason: "" } as const;
  expect(connectionWords(waiting, 7_100)).toEqual({ text: "Reconnecting", countdown: 3 });
  expect(connectionWords(waiting, 10_500).countdown).toBe(1);
});

test("the page's address can force a transport, and nothing else does", () => {
  expect(forcedTransports("?transport=sse")).toEqual(["sse"]);
  expect(forcedTransports("?transport=carrier-pigeon")).toBeNull();
  expect(forcedTransports("")).toBeNull();
});

test.each([
  [-5, "0 s"],
  [59_400, "59 s"],
  [61_000, "1 min"],
  [7_300_000, "2 h"],
  [90_000_000, "1 day"],
])("%d ms are %s", (ms, text) => {
  expect(duration(ms)).toBe(text);
});

const LIVE = { name: "live", transport: "websocket" } as const;
const WAITING = { name: "waiting", retryAt: 10_000, attempt: 1, reason: "the connection was lost" } as const;

test.each([
  [LIVE, "live", "Live over WebSocket", "live"],
  [{ name: "live", transport: "sse" } as const, "live", "Live over SSE", "live"],
  [LIVE, undefined, "Live over WebSocket", "live"],
  [LIVE, "down", "Listener down", "listener"],
  [LIVE, "asleep", "Database asleep", "listener"],
  [WAITING, "down", "Reconnecting", "waiting"],
  [{ name: "offline" } as const, "asleep", "Offline", "off"],
] as const)("the pill says of %o and a listener that is %s: %s", (state, listener, text, tone) => {
  expect(pillWords(state, listener, 7_100)).toMatchObject({ text, tone });
});

test("the pill tells the reason of a failure, and when it is tried again", () => {
  expect(pillWords(WAITING, "live", 7_100)).toMatchObject({
    detail: "the connection was lost",
    countdown: 3,
  });
});
