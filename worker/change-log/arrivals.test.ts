import { expect, it } from "vitest";
import { Arrivals } from "./arrivals.ts";

const arrival = (storedAt: number) => ({ storedAt, readAt: null, carrier: "listener" }) as const;

it("finds the batch of a change, and nothing for those that are not here", () => {
  const arrivals = new Arrivals();
  arrivals.add({ from: 0, to: 3 }, arrival(10));
  arrivals.add({ from: 3, to: 4 }, arrival(20));
  expect([1, 3, 4].map((seq) => arrivals.find(seq)?.storedAt)).toEqual([10, 10, 20]);
  expect([0, 5].map((seq) => arrivals.find(seq))).toEqual([null, null]);
  arrivals.clear();
  expect(arrivals.find(1)).toBeNull();
});

it("keeps the latest, and not more and more of them", () => {
  const arrivals = new Arrivals();
  for (let seq = 1; seq <= 5_000; seq += 1) arrivals.add({ from: seq - 1, to: seq }, arrival(seq));
  expect(arrivals.find(5_000)?.storedAt).toBe(5_000);
  expect(arrivals.find(4_600)?.storedAt).toBe(4_600);
  expect(arrivals.find(1)).toBeNull();
});
