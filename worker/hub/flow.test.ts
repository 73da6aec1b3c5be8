import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  acknowledged,
  behindAt,
  caughtUp,
  fellBehind,
  frameSent,
  hasRoom,
  liveAt,
  load,
  passedOver,
} from "./flow.ts";

const WINDOW = { bytes: 800, changes: 80 };

describe("flow control of one client", () => {
  it("has room until a window is under way, and again after an acknowledgement", () => {
    let flow = liveAt(10);
    flow = frameSent(flow, 11, 500, 1, WINDOW);
    expect(hasRoom(flow, WINDOW)).toBe(true);
    flow = frameSent(flow, 12, 300, 1, WINDOW);
    expect(hasRoom(flow, WINDOW)).toBe(false);
    expect(hasRoom(acknowledged(flow, 11), WINDOW)).toBe(true);
  });

  it("is full by the number of changes too, however small they are", () => {
    expect(hasRoom(frameSent(liveAt(0), 80, 1, 80, WINDOW), WINDOW)).toBe(false);
  });

  it("keeps the next frame's from at the last frame when there was nothing for the client", () => {
    const flow = passedOver(frameSent(behindAt(0), 5, 10, 5, WINDOW), 9);
    expect(flow).toMatchObject({ framed: 5, sent: 9 });
  });

  it("ignores acknowledgements of what was acknowledged before", () => {
    const flow = frameSent(liveAt(10), 20, 100, 10, WINDOW);
    expect(acknowledged(flow, 10)).toBe(flow);
  });

  it("remembers where it stood when it falls behind, and only that", () => {
    const flow = frameSent(liveAt(1), 2, 3, 1, WINDOW);
    const behind = fellBehind(flow, 9);
    expect(behind).toEqual({ ...flow, mode: "behind", sent: 9 });
    expect(caughtUp(behind)).toEqual(flow);
    expect(behindAt(7)).toMatchObject({ mode: "behind", sent: 7, framed: 7 });
  });

  it("never has more under way than a window and one frame, holds at most a few steps, and never stalls a client that acknowledges quarters", () => {
    const frame = fc.record({
      bytes: fc.integer({ min: 1, max: 900 }),
      changes: fc.integer({ min: 0, max: 90 }),
    });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 300 }), (frames) => {
        let flow = liveAt(0);
        let seq = 0;
        const unread: { seq: number; bytes: number; changes: number }[] = [];
        const read = { bytes: 0, changes: 0 };
        const readOne = (): void => {
          const next = unread.shift();
          if (next === undefined) return;
          read.bytes += next.bytes;
          read.changes += next.changes;
          if (read.bytes < WINDOW.bytes / 4 && read.changes < WINDOW.changes / 4) return;
          Object.assign(read, { bytes: 0, changes: 0 });
          flow = acknowledged(flow, next.seq);
        };
        for (const { bytes, changes } of frames) {
          while (!hasRoom(flow, WINDOW)) {
            expect(
              unread.length,
              "full, and the client has read everything: nobody moves again",
            ).toBeGreaterThan(0);
            readOne();
          }
          seq += Math.max(1, changes);
          flow = frameSent(flow, seq, bytes, changes, WINDOW);
          unread.push({ seq, bytes, changes });
          expect(load(flow).bytes).toBeLessThan(WINDOW.bytes + 900);
          expect(flow.underWay.length).toBeLessThanOrEqual(34);
        }
      }),
    );
  });
});
