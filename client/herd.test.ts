import { expect, test } from "vitest";
import { seeded } from "../test/contract/random.ts";
import { start, step } from "./machine.ts";
import { wakeAt, type State, type World } from "./states.ts";

const CLIENTS = 10_000;

/** A client that has been live for a minute, among so many. */
function live(world: World, connectedClients: number): State {
  let [state] = start(["websocket"], null, world);
  const about = { connectedClients, listener: "live" } as const;
  for (const message of [
    {
      type: "welcome",
      clientId: "c",
      position: "e.0",
      window: { bytes: 1, changes: 1 },
      protocol: 1,
      ...about,
    },
    { type: "status", lagMs: null, ...about },
  ] as const) {
    [state] = step(state, { type: "message", connection: state.connection, message, size: 10 }, world);
  }
  return state;
}

/** When each comes back, in ms after all were cut off in one instant and found nobody for `failures` times. */
function returns(connectedClients: number, failures = 0): number[] {
  const random = seeded(5);
  return Array.from({ length: connectedClients }, () => {
    let state = live({ now: 0, random }, connectedClients);
    let now = 60_000;
    for (let attempt = 0; attempt <= failures; attempt += 1) {
      const event = {
        type: "closed",
        connection: state.connection,
        code: 1006,
        reason: "cut",
        afterMs: 0,
      } as const;
      [state] = step(state, event, { now, random });
      now = wakeAt(state) ?? now;
      [state] = step(state, { type: "tick" }, { now, random });
      expect(state.name).toBe("connecting");
    }
    return now - 60_000;
  });
}

function busiestSecond(times: readonly number[]): number {
  const seconds = Map.groupBy(times, (time) => Math.floor(time / 1000));
  return Math.max(...[...seconds.values()].map(({ length }) => length));
}

test("ten thousand clients that are cut off at once come back spread over ten seconds", () => {
  const times = returns(CLIENTS);
  expect(busiestSecond(times)).toBeLessThan(1_200);
  expect(Math.max(...times)).toBeLessThan(10_000);
});

test("they stay spread out while nobody answers", () => {
  expect(busiestSecond(returns(CLIENTS, 3))).toBeLessThan(1_200);
});

test("a few are back within half a second", () => {
  expect(Math.max(...returns(20))).toBeLessThan(500);
});
