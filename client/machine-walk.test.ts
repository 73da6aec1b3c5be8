import * as fc from "fast-check";
import { expect, test } from "vitest";
import { CloseCode } from "../protocol/close-codes.ts";
import { parsePosition } from "../protocol/position.ts";
import { BOTH, Story } from "../test/client/story.ts";
import { wakeAt } from "./states.ts";
import type { Event, Transport } from "./states.ts";

test("on any walk one connection is open at most, time always moves it on, and the position never goes back", () => {
  const seq = fc.integer({ min: 0, max: 6 }).map((n) => `e.${n}`);
  const act = fc.oneof(
    { weight: 4, arbitrary: fc.constant((story: Story) => story.live(story.state.position ?? "e.0")) },
    {
      weight: 3,
      arbitrary: fc.tuple(seq, seq).map(
        ([from, to]) =>
          (story: Story) =>
            story.changes(from, to),
      ),
    },
    fc.tuple(seq).map(
      ([to]) =>
        (story: Story) =>
          story.changes(story.state.position, to),
    ),
    fc.tuple(seq).map(
      ([to]) =>
        (story: Story) =>
          story.changes(null, to),
    ),
    fc.tuple(seq).map(
      ([to]) =>
        (story: Story) =>
          story.pong(to),
    ),
    fc
      .constantFrom(
        1006,
        CloseCode.COME_BACK,
        CloseCode.TOKEN_EXPIRED,
        CloseCode.TOO_MANY,
        CloseCode.FORBIDDEN,
      )
      .map((code) => (story: Story) => story.closed(code)),
    { weight: 4, arbitrary: fc.constant((story: Story) => story.due()) },
    fc.integer({ min: 0, max: 70_000 }).map((ms) => (story: Story) => story.after(ms).tick()),
    fc
      .boolean()
      .map(
        (opened) => (story: Story) =>
          story.event({ type: "probed", connection: story.state.connection, opened }),
      ),
    fc
      .constantFrom<Event>(
        { type: "online" },
        { type: "offline" },
        { type: "visible" },
        { type: "reconnect" },
        { type: "refilter", frame: "F" },
        { type: "stop", reason: "closed" },
      )
      .map((event) => (story: Story) => story.event(event)),
    fc
      .integer({ min: 0, max: 60_000 })
      .map((after) => (story: Story) => story.message({ type: "reconnect", after })),
  );
  const transports = fc.constantFrom<readonly Transport[]>(
    BOTH,
    ["websocket"],
    ["sse"],
    ["sse", "websocket"],
  );
  fc.assert(
    fc.property(transports, fc.array(act, { maxLength: 60 }), (transports, acts) => {
      const story = new Story({ transports });
      let open: number | null = null;
      let probing = false;
      let position = -1;
      const follow = (): void => {
        let told: string | null | undefined;
        for (const effect of story.log.splice(0)) {
          if (effect.type === "message" && effect.message.type === "changes") told = effect.message.from;
          if (effect.type === "open") {
            expect(open).toBeNull();
            open = effect.connection;
          }
          if (effect.type === "close") {
            expect(open).toBe(effect.connection);
            open = null;
          }
          if (effect.type === "probe") {
            expect(probing).toBe(false);
            probing = true;
          }
          // A probe that has reported is over.
          if (effect.type === "end-probe" || effect.type === "probed") probing = false;
          if (effect.type === "deliver") {
            expect([effect.from, null]).toContain(told);
            expect(parsePosition(effect.position)?.seq).toBeGreaterThan(
              parsePosition(effect.from)?.seq ?? -1,
            );
            expect(parsePosition(effect.from)?.seq).toBeGreaterThanOrEqual(position);
            position = parsePosition(effect.position)?.seq ?? -1;
          }
        }
        const now = story.state.position === null ? -1 : (parsePosition(story.state.position)?.seq ?? -1);
        expect(now).toBeGreaterThanOrEqual(position);
        position = now;
        const { state } = story;
        const streaming = state.name === "catching-up" || state.name === "live";
        expect(open !== null).toBe(streaming || state.name === "connecting");
        expect(probing).toBe(streaming && state.probing);
        expect(wakeAt(state) !== null).toBe(state.name !== "stopped");
        expect(Number.isFinite(wakeAt(state) ?? 0)).toBe(true);
      };
      follow();
      for (const act of acts) {
        act(story);
        follow();
      }
    }),
    { numRuns: 500 },
  );
});
