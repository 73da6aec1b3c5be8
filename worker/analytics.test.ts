import { expect, it } from "vitest";
import { recordBatch, recordConnection } from "./analytics.ts";

it("writes points when bound, and nothing when not", () => {
  const points: AnalyticsEngineDataPoint[] = [];
  const ANALYTICS = {
    writeDataPoint: (point?: AnalyticsEngineDataPoint) => void (point && points.push(point)),
  };
  recordBatch({ ANALYTICS }, 3, 1200, 25);
  recordConnection({ ANALYTICS }, "weur:1", true);
  recordBatch({}, 1, 1, null);
  recordConnection({}, "weur:1", false);
  expect(points).toEqual([
    { indexes: ["batch"], doubles: [3, 1200, 25] },
    { indexes: ["connection"], blobs: ["weur:1", "weur"], doubles: [1] },
  ]);
});
