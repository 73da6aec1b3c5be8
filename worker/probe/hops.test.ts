import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hopsOf, offsetOf, timeOf, type Sightings } from "./hops.ts";

/** A way of 5 + 20 + 7 + 4 + 3 ms that began at 1000, all clocks alike. */
const way: Sightings = {
  startedAt: 1000,
  writtenAt: 1005,
  readAt: 1025,
  storedAt: 1032,
  arrived: { at: 1039, hubRoundTripMs: 6 },
  databaseOffset: 0,
  logOffset: 0,
};
const named = (seen: Sightings) => hopsOf(seen).map(({ hop, ms }) => `${hop} ${ms}`);

describe("hopsOf", () => {
  it("tells where the time went", () => {
    expect(named(way)).toEqual(["database 5", "outbox 20", "listener 7", "log 4", "hub 3"]);
  });

  it("does not mind what time it is at the database and at the log", () => {
    const ms = fc.integer({ min: -1e10, max: 1e10 });
    fc.assert(
      fc.property(ms, ms, (database, log) => {
        const shifted = {
          ...way,
          writtenAt: 1005 + database,
          readAt: 1025 + database,
          storedAt: 1032 + log,
          databaseOffset: database,
          logOffset: log,
        };
        expect(hopsOf(shifted)).toEqual(hopsOf(way));
      }),
    );
  });

  it("adds up to the whole and never runs backwards, however wrong the offsets are", () => {
    const ms = fc.integer({ min: 0, max: 5000 });
    const wrong = fc.integer({ min: -2000, max: 2000 });
    fc.assert(
      fc.property(ms, ms, ms, ms, wrong, wrong, (database, outbox, listener, rest, byDatabase, byLog) => {
        const writtenAt = 1000 + database;
        const storedAt = writtenAt + outbox + listener;
        const at = storedAt + rest;
        const seen = { ...way, writtenAt, readAt: writtenAt + outbox, storedAt };
        const hops = hopsOf({
          ...seen,
          arrived: { at, hubRoundTripMs: 4 },
          databaseOffset: byDatabase,
          logOffset: byLog,
        });
        expect(hops.every((hop) => hop.ms >= 0)).toBe(true);
        expect(hops.reduce((sum, hop) => sum + hop.ms, 0)).toBeCloseTo(at - 1000, 6);
        // By one clock: nothing else has a say in it.
        expect(hops.find(({ hop }) => hop === "outbox")?.ms).toBeCloseTo(outbox, 6);
      }),
    );
  });

  it("counts what is not known with the next hop", () => {
    expect(named({ ...way, readAt: null })).toEqual(["database 5", "listener 27", "log 4", "hub 3"]);
    expect(named({ ...way, readAt: null, storedAt: null })).toEqual(["database 5", "log 31", "hub 3"]);
  });

  it("ends where the probe did", () => {
    expect(named({ ...way, arrived: null })).toEqual(["database 5", "outbox 20", "listener 7"]);
    expect(named({ ...way, readAt: null, storedAt: null, arrived: null })).toEqual(["database 5"]);
  });
});

it("offsetOf takes the middle of the round trip, give or take half of it", () => {
  expect(offsetOf({ sentAt: 100, receivedAt: 110, at: 3_600_105 })).toEqual({
    offset: 3_600_000,
    uncertainty: 5,
  });
});

it("timeOf keeps microseconds", () => {
  expect(timeOf("1970-01-01T00:00:01.234567Z")).toBeCloseTo(1234.567, 6);
  expect(timeOf("1970-01-01T00:00:01Z")).toBe(1000);
});
