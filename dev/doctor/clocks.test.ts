import { expect, it } from "vitest";
import { describeOffset, isOff, readClock } from "./clocks.ts";

it("takes the shortest of several round trips for the truest", async () => {
  const trips = [100, 4, 30];
  let now = 0;
  const ask = async () => {
    const trip = trips.shift() ?? 0;
    now += trip / 2;
    const there = now + 5_000 + (trip === 4 ? 0 : 7); // the slow ones are lopsided
    now += trip / 2;
    return there;
  };
  expect(await readClock(ask, () => now)).toEqual({ offset: 5_000, uncertainty: 2 });
});

it("calls a clock off only when it is so for certain", () => {
  expect(isOff({ offset: 2_500, uncertainty: 600 }, 2_000)).toBe(false);
  expect(isOff({ offset: -2_700, uncertainty: 600 }, 2_000)).toBe(true);
});

it.each([
  [3, "3 ms ahead (± 1 ms)"],
  [-4_500, "4.5 s behind (± 1 ms)"],
  [600_000, "10 min ahead (± 1 ms)"],
  [-7_200_000, "2.0 h behind (± 1 ms)"],
])("says %i ms as %s", (offset, words) => {
  expect(describeOffset({ offset, uncertainty: 0.4 })).toBe(words);
});
