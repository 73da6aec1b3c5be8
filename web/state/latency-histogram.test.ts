import fc from "fast-check";
import { expect, test } from "vitest";
import { BINS_MS, createLatencyHistogram, milliseconds } from "./latency-histogram.ts";

const NOW = 1_700_000_000;

test("each value falls into one bin: up to its end, or beyond them all", () => {
  const histogram = createLatencyHistogram();
  for (const ms of [0, 5, 5.1, 20, 5000, 5001, 1e9]) histogram.add(NOW, ms);
  expect(histogram.counts(NOW)).toEqual([2, 1, 1, 0, 0, 0, 0, 0, 0, 1, 2]);
});

test("after five minutes a value is forgotten", () => {
  const histogram = createLatencyHistogram();
  histogram.add(NOW, 7);
  histogram.add(NOW + 200, 7);
  const sum = (second: number) => histogram.counts(second).reduce((a, b) => a + b);
  expect(sum(NOW + 200)).toBe(2);
  expect(sum(NOW + 310)).toBe(1);
  expect(sum(NOW + 1000)).toBe(0);
});

test("a quantile is one of the newest values, and so many of them keep below it", () => {
  const values = fc.array(fc.double({ min: 0, max: 1e5, noNaN: true }), { minLength: 1, maxLength: 1200 });
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (all, share) => {
      const histogram = createLatencyHistogram();
      for (const ms of all) histogram.add(NOW, ms);
      const newest = all.slice(-1000);
      const quantile = histogram.quantile(share) ?? Number.NaN;
      expect(newest).toContain(quantile);
      expect(newest.filter((ms) => ms < quantile).length).toBeLessThanOrEqual(share * newest.length);
      expect(newest.filter((ms) => ms <= quantile).length).toBeGreaterThanOrEqual(
        Math.floor(share * newest.length),
      );
    }),
  );
  expect(createLatencyHistogram().quantile(0.5)).toBeNull();
});

test("every bin has an end above the one before", () => {
  expect([...BINS_MS]).toEqual(BINS_MS.toSorted((a, b) => a - b));
});

test.each([
  [0.4, "under 1 ms"],
  [8.4, "8 ms"],
  [1234, "1.2 s"],
  [65_000, "65 s"],
])("%d ms are %s", (ms, text) => {
  expect(milliseconds(ms)).toBe(text);
});
