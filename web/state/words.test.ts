import { expect, test } from "vitest";
import { connectionWords, duration, forcedTransports } from "./words.ts";

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
