import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { after, begin, due, type SleepEvent, type SleepState } from "./sleep.ts";

const LIMITS = { idleAfterMs: 60, wakeEveryMs: 1000 };
const NOW = 5000;

const watchers = (clients: number): SleepEvent => ({ type: "watchers", clients });
const state = (name: SleepState["name"], more: Partial<SleepState> = {}): SleepState => ({
  name,
  clients: name === "idle" || name === "asleep" ? 0 : 1,
  since: NOW - 10,
  brief: false,
  ...more,
});

describe("each event in each state", () => {
  const waking = state("waking", { clients: 0 });
  const looking = state("waking", { clients: 0, brief: true });
  const old = { since: NOW - 60 };
  it.each<[what: string, from: SleepState, event: SleepEvent, to: SleepState["name"]]>([
    ["it starts, nobody known", begin(NOW), { type: "caught up" }, "awake"],
    ["caught up with clients", state("waking"), { type: "caught up" }, "awake"],
    ["caught up with nobody there", waking, { type: "caught up" }, "idle"],
    ["a look that has found what there was", looking, { type: "caught up" }, "asleep"],
    ["a look and somebody comes", after(looking, watchers(1), NOW, LIMITS), { type: "caught up" }, "awake"],
    [
      "a look and a write comes",
      after(looking, { type: "wake" }, NOW, LIMITS),
      { type: "caught up" },
      "idle",
    ],
    ["a look, and nobody knows who watches", looking, { type: "deaf" }, "waking"],
    ["no way to Postgres while waking", waking, { type: "lost" }, "waking"],
    ["the last client goes", state("awake"), watchers(0), "idle"],
    ["the control socket goes while awake", state("awake"), { type: "deaf" }, "awake"],
    ["Postgres goes while clients watch", state("awake"), { type: "lost" }, "waking"],
    ["Postgres goes while nobody watches", state("idle"), { type: "lost" }, "asleep"],
    ["a client comes before it sleeps", state("idle"), watchers(1), "awake"],
    ["the control socket goes before it sleeps", state("idle"), { type: "deaf" }, "awake"],
    ["a drain before the time is over", state("idle"), { type: "caught up" }, "idle"],
    ["a drain after it", state("idle", old), { type: "caught up" }, "asleep"],
    ["the time is over amid a drain", state("idle", old), { type: "timer" }, "idle"],
    ["a client comes while it sleeps", state("asleep"), watchers(1), "waking"],
    ["still nobody", state("asleep"), watchers(0), "asleep"],
    ["the control socket goes while it sleeps", state("asleep"), { type: "deaf" }, "asleep"],
    ["a write while it sleeps", state("asleep"), { type: "wake" }, "waking"],
    ["the loss of the connection it gave up", state("asleep"), { type: "lost" }, "asleep"],
    ["a timer that is early", state("asleep"), { type: "timer" }, "asleep"],
    ["it has slept long enough", state("asleep", { since: NOW - 1000 }), { type: "timer" }, "waking"],
  ])("%s", (_, from, event, to) => {
    expect(after(from, event, NOW, LIMITS).name).toBe(to);
  });
});

test("a write while nobody watches lets the time until sleep begin again", () => {
  const idle = after(state("idle", { since: NOW - 60 }), { type: "wake" }, NOW, LIMITS);
  expect(after(idle, { type: "caught up" }, NOW, LIMITS).name).toBe("idle");
  expect(due(idle, LIMITS)).toBe(NOW + 60);
});

test("with WAKE_EVERY_MS 0 it looks only when it is woken", () => {
  const limits = { ...LIMITS, wakeEveryMs: 0 };
  expect(due(state("asleep"), limits)).toBeNull();
  expect(after(state("asleep", { since: -Infinity }), { type: "timer" }, NOW, limits).name).toBe("asleep");
});

test("a Worker that is set back to one that cannot wake it finds it awake, and it stays so", () => {
  const events: SleepEvent[] = [
    { type: "deaf" },
    { type: "wake" },
    { type: "caught up" },
    { type: "caught up" },
  ];
  const end = events.reduce((at, event) => after(at, event, NOW + 1e9, LIMITS), state("asleep"));
  expect(end).toMatchObject({ name: "awake", clients: null });
});

const anyEvent: fc.Arbitrary<SleepEvent> = fc.oneof(
  fc.integer({ min: 0, max: 2 }).map(watchers),
  fc.constantFrom<SleepEvent>(
    { type: "deaf" },
    { type: "wake" },
    { type: "caught up" },
    { type: "lost" },
    { type: "timer" },
  ),
);
const anyWalk = fc.array(fc.tuple(anyEvent, fc.nat(100)), { maxLength: 60 });

function* walk(steps: readonly (readonly [SleepEvent, number])[]) {
  let now = 0;
  let at = begin(now);
  for (const [event, pause] of steps) {
    now += pause;
    const before = at;
    at = after(at, event, now, LIMITS);
    yield { before, event, at, now };
  }
}

describe("on any walk", () => {
  it("falls asleep only when told that nobody watches, and never with clients", () => {
    fc.assert(
      fc.property(anyWalk, (steps) => {
        for (const { before, at } of walk(steps)) {
          if (at.name === "asleep" && before.name !== "asleep") expect(at.clients).toBe(0);
          if (at.name === "asleep") expect(at.clients ?? 0).toBe(0);
          if (at.name === "idle") expect(at.clients).toBe(0);
        }
      }),
    );
  });

  it("is never asleep after a client has come or a write, whatever was before", () => {
    fc.assert(
      fc.property(anyWalk, fc.constantFrom(watchers(1), { type: "wake" } as const), (steps, call) => {
        const last = [...walk([...steps, [call, 0]])].at(-1);
        expect(last?.at.name).not.toBe("asleep");
      }),
    );
  });

  it("does not touch the database because the control socket was lost", () => {
    fc.assert(
      fc.property(anyWalk, (steps) => {
        for (const { before, event, at } of walk(steps)) {
          if (event.type === "deaf") expect(at.name === "asleep").toBe(before.name === "asleep");
        }
      }),
    );
  });

  it("sleeps in the end when nobody watches, nobody writes and it drains", () => {
    fc.assert(
      fc.property(anyWalk, (steps) => {
        const caughtUp: SleepEvent = { type: "caught up" };
        const rest: [SleepEvent, number][] = [
          [watchers(0), 0],
          [caughtUp, 0],
          [caughtUp, 60],
        ];
        expect([...walk([...steps, ...rest])].at(-1)?.at.name).toBe("asleep");
      }),
    );
  });
});
