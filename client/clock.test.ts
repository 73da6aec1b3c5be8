import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ageOf, betterSample, type ClockSample } from "./clock.ts";

const START = Date.parse("2026-11-20T12:00:00Z");

test("the age of a change is right to half the best round trip, however far the clocks are apart", () => {
  const trip = fc.record({ out: fc.nat(400), back: fc.nat(400) });
  fc.assert(
    fc.property(
      fc.integer({ min: -4_000_000, max: 4_000_000 }),
      fc.array(trip, { minLength: 1, maxLength: 6 }),
      fc.nat(5000),
      (offset, trips, age) => {
        let now = START;
        let held: ClockSample | null = null;
        for (const { out, back } of trips) {
          held = betterSample(held, {
            sentAt: now,
            serverTime: now + out + offset,
            receivedAt: now + out + back,
          });
          now += out + back + 1000;
        }
        const best = Math.min(...trips.map(({ out, back }) => out + back));
        const timestamp = new Date(now - age + offset).toISOString();
        expect(Math.abs((ageOf(timestamp, now, held) ?? Infinity) - age)).toBeLessThanOrEqual(best / 2 + 1);
      },
    ),
  );
});

test("nothing is said before the clock is known, or of a time that cannot be read", () => {
  expect(ageOf("2026-11-20T12:00:00Z", START, null)).toBeNull();
  const sample = { sentAt: START, serverTime: START, receivedAt: START };
  expect(ageOf("", START, sample)).toBeNull();
  expect(ageOf("2026-11-20T12:00:01Z", START, sample)).toBe(0);
  expect(betterSample(sample, { ...sample, serverTime: Number.NaN })).toBe(sample);
  expect(betterSample(null, { ...sample, receivedAt: START - 1 })).toBeNull();
});

test("a good sample gives way when it is old", () => {
  const good = { sentAt: START, serverTime: START, receivedAt: START };
  const later = { sentAt: START + 600_000, serverTime: START + 600_000, receivedAt: START + 600_300 };
  expect(betterSample(good, later)).toBe(later);
  expect(betterSample(good, { ...later, sentAt: START + 10, receivedAt: START + 40 })).toBe(good);
});
