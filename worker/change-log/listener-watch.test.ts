import { describe, expect, it } from "vitest";
import type { ListenerStatus } from "../../protocol/messages.ts";
import { fallbackAt, listenerStatus, WAKE_MS, type Heard } from "./listener-watch.ts";

const NOW = 1_000_000;
const heard = (more: Partial<Heard>): Heard => ({
  heardAt: NOW - 10,
  heardEver: true,
  calledAt: 0,
  states: [],
  watched: true,
  fallbackAfterMs: 35_000,
  ...more,
});

describe("what the log takes its listeners for", () => {
  it.each<[string, Partial<Heard>, ListenerStatus]>([
    ["a request just now", {}, "live"],
    ["none yet since the log began", { heardEver: false }, "connecting"],
    ["nothing for long, of a listener that does not sleep", { heardAt: NOW - 35_000 }, "down"],
    ["nothing for long, of one that says it lives", { heardAt: NOW - 35_000, states: ["live"] }, "down"],
    ["all asleep, nobody watches", { heardAt: 0, states: ["asleep", "asleep"], watched: false }, "asleep"],
    ["all asleep and called just now", { heardAt: 0, states: ["asleep"], calledAt: NOW - 1 }, "asleep"],
    ["waking", { heardAt: 0, states: ["connecting"], calledAt: NOW - 1 }, "connecting"],
    ["called in vain", { heardAt: 0, states: ["asleep"], calledAt: NOW - WAKE_MS }, "down"],
    ["waking in vain", { heardAt: 0, states: ["connecting"], calledAt: NOW - WAKE_MS }, "down"],
    ["one asleep, another delivers", { states: ["asleep", "live"] }, "live"],
    ["one asleep, one delivers that has no control socket", { states: ["asleep"] }, "live"],
  ])("%s", (_, more, status) => {
    expect(listenerStatus(heard(more), NOW)).toBe(status);
  });

  it("looks by itself as soon as, and no sooner than, it says that they are down", () => {
    for (const more of [
      {},
      { heardAt: 0, calledAt: NOW },
      { heardAt: 0, states: ["asleep" as const], calledAt: NOW },
    ]) {
      const at = fallbackAt(heard(more));
      expect(listenerStatus(heard(more), at - 1)).not.toBe("down");
      expect(listenerStatus(heard(more), at)).toBe("down");
    }
  });
});
