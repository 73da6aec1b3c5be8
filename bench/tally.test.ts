import { expect, it } from "vitest";
import { Histogram, median, Seen } from "./tally.ts";

it("a percentile is the least latency that so many samples do not exceed", () => {
  const histogram = new Histogram();
  for (let ms = 1; ms <= 100; ms += 1) histogram.add(ms);
  expect([0.5, 0.99, 1].map((p) => histogram.percentile(p))).toEqual([50, 99, 100]);
  expect(new Histogram().percentile(0.5)).toBeNaN();
});

it("what lies outside the scale counts at its ends", () => {
  const histogram = new Histogram();
  histogram.add(-1);
  histogram.add(1e9);
  expect([histogram.percentile(0.5), histogram.percentile(1)]).toEqual([0, 60_000]);
});

it("each number of each writer is taken once, in whatever order", () => {
  const seen = new Seen();
  expect([seen.take(0, 5000), seen.take(1, 5000), seen.take(0, 0)]).toEqual([true, true, true]);
  expect([seen.take(0, 5000), seen.take(1, 5000), seen.take(0, 0)]).toEqual([false, false, false]);
  expect(seen.take(0, 4999)).toBe(true);
});

it("the median of an even number of values lies between the two in the middle", () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([9, 1, 5, 2])).toBe(3.5);
  expect(median([])).toBeNaN();
});
