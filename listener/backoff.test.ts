import { expect, test } from "vitest";
import { FIRST_MS, KNOCK_MS, LONGEST_MS, backoffMs, createBackoff } from "./backoff.ts";

const highest = (): number => 1 - Number.EPSILON;

test("a wait is drawn from 100 ms, doubling to 30 s, for ever", () => {
  const longest = [0, 1, 2, 8, 9, 10, 5000].map((attempt) => backoffMs(attempt, highest) + 1);
  expect(longest).toEqual([100, 200, 400, 25_600, 30_000, 30_000, 30_000]);
});

test("the jitter is full: a wait may be nothing at all", () => {
  expect(backoffMs(9, () => 0)).toBe(0);
});

test("after a success the wait is short again", () => {
  const backoff = createBackoff(highest);
  expect([backoff.next(), backoff.next(), backoff.next()]).toEqual([99, 199, 399]);
  backoff.reset();
  expect(backoff.next()).toBe(99);
});

test("the longest wait can be had at once", () => {
  expect(createBackoff(highest).longest()).toBe(LONGEST_MS - 1);
});

test("knocking never waits for a second, however often it was in vain", () => {
  const backoff = createBackoff(() => 0.999);
  const waits = Array.from({ length: 20 }, () => backoff.knock());
  expect(waits[0]).toBeLessThan(FIRST_MS);
  expect(Math.max(...waits)).toBeLessThan(KNOCK_MS);
});
