import { describe, expect, it } from "vitest";
import {
  afterDrain,
  BUSY_DRAINS,
  EMPTY_DRAINS,
  GUARDING,
  leaving,
  LEAVING_PAUSE_MS,
  patience,
  SILENT,
  wish,
  type Mode,
} from "./silence.ts";

const BUSY = { found: true, rung: true };
const EMPTY = { found: false, rung: false };

function drains(mode: Mode, drained: { found: boolean; rung: boolean }, times: number): Mode {
  for (let i = 0; i < times; i += 1) mode = afterDrain(mode, drained);
  return mode;
}

describe("the doorbell", () => {
  it("is waited for as long as the keepalive allows when there is no load", () => {
    const mode = afterDrain({ name: "ringing", busy: 0 }, { found: true, rung: false });
    expect(wish(mode)).toBeNull();
    expect(patience(mode, true)).toBeNull();
  });

  it("is silenced when drain after drain is rung for again before it ends", () => {
    const ringing: Mode = { name: "ringing", busy: 0 };
    expect(wish(drains(ringing, BUSY, BUSY_DRAINS - 1))).toBeNull();
    expect(wish(drains(ringing, BUSY, BUSY_DRAINS))).toBe("take");
    const paused = drains(drains(ringing, BUSY, BUSY_DRAINS - 1), { found: true, rung: false }, 1);
    expect(wish(drains(paused, BUSY, 1))).toBeNull();
  });

  it("is made up for by a look every 16 ms, and with no client connected by ten a second", () => {
    expect(patience(SILENT, true)).toBe(16);
    expect(patience(SILENT, false)).toBe(100);
    expect(patience(drains(GUARDING, { found: true, rung: false }, 1), false)).toBe(100);
    expect(patience({ name: "ringing", busy: 0 }, false)).toBeNull();
  });

  it("is let ring again when nothing has been found for a while", () => {
    expect(wish(drains(SILENT, EMPTY, EMPTY_DRAINS - 1))).toBeNull();
    expect(wish(drains(SILENT, EMPTY, EMPTY_DRAINS))).toBe("release");
    const disturbed = drains(drains(SILENT, EMPTY, EMPTY_DRAINS - 1), BUSY, 1);
    expect(wish(drains(disturbed, EMPTY, EMPTY_DRAINS - 1))).toBeNull();
  });

  it("is not trusted until everybody who may have met the lock has ended", () => {
    let mode = leaving("7");
    for (let i = 0; i < 20; i += 1) {
      mode = afterDrain(mode, EMPTY, false);
      expect(mode.name).toBe("leaving");
      expect(patience(mode, true)).toBeLessThanOrEqual(LEAVING_PAUSE_MS);
    }
    expect(patience(mode, true)).toBe(LEAVING_PAUSE_MS);
    expect(afterDrain(mode, EMPTY, true).name).toBe("ringing");
  });

  it("can be silenced again under load while somebody of before is still at work", () => {
    expect(wish(drains(leaving("7"), BUSY, BUSY_DRAINS))).toBe("take");
  });

  it("is looked after every second while another session keeps it silent", () => {
    expect(wish(drains(GUARDING, BUSY, 9))).toBeNull();
    expect(patience(drains(GUARDING, EMPTY, 1), true)).toBe(1_000);
    expect(patience(drains(GUARDING, { found: true, rung: false }, 1), true)).toBeLessThan(100);
  });
});
