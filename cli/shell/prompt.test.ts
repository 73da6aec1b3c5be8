import { expect, test } from "vitest";
import type { ConnectionState } from "../../client/index.ts";
import { promptText } from "./prompt.ts";

test.each<[ConnectionState, boolean, string]>([
  [{ name: "live", transport: "sse" }, false, "rowcast> "],
  [{ name: "connecting", transport: "sse", attempt: 1 }, false, "rowcast (connecting)> "],
  [
    { name: "waiting", retryAt: 3_400, attempt: 2, reason: "cut" },
    false,
    "rowcast (not connected, again in 3 s)> ",
  ],
  [{ name: "stopped", reason: "refused" }, false, "rowcast (no live changes)> "],
  [{ name: "live", transport: "sse" }, true, "rowcast (working)> "],
  [{ name: "offline" }, true, "rowcast (offline, working)> "],
])("%j (busy: %s) is %j", (state, isBusy, text) => {
  expect(promptText({ state, now: 1_000, isBusy }, (_colour, text) => text)).toBe(text);
});
