import { expect, it } from "vitest";
import { describeLog, type Known } from "./details.ts";

const known: Known = {
  overview: { connectedClients: 0, listener: "connecting", lagMs: null, position: "e.0" },
  head: { epoch: "e", seq: 0 },
  cursor: null,
  reach: { first: null, oldestAt: null, newestAt: null },
  storageBytes: 4096,
  heardAt: 0,
  controls: [],
  hubs: [],
  plan: {},
};

it("says of a log that has nothing yet that there is nothing", () => {
  expect(describeLog(known, 1000)).toMatchObject({
    cursorAgeMs: null,
    heardAt: null,
    hubs: {},
    shards: {},
    regions: {},
    history: { oldest: "e.0", changes: 0, bytes: 4096, ageMs: null },
  });
});

it("tells the position that history reaches back to, and sums up regions", () => {
  const details = describeLog(
    {
      ...known,
      head: { epoch: "e", seq: 50 },
      cursor: "7:7:",
      reach: { first: 11, oldestAt: 400, newestAt: 900 },
      heardAt: 700,
      hubs: [
        ["weur:0", 3],
        ["weur:1", 2],
        ["oc:0", 1],
      ],
    },
    1000,
  );
  expect(details).toMatchObject({
    cursorAgeMs: 100,
    heardAt: 700,
    regions: { weur: 5, oc: 1 },
    history: { oldest: "e.10", changes: 40, ageMs: 600 },
  });
});
