import { pino } from "pino";
import { expect, test } from "vitest";
import { createReport, createThrottle } from "./report.ts";

test("a fault that lasts is told once a second, with how often it was not told", () => {
  let now = 0;
  const mayTell = createThrottle(1000, () => now);
  expect(mayTell("down")).toBe(0);
  now = 999;
  expect([mayTell("down"), mayTell("down"), mayTell("other")]).toEqual([null, null, 0]);
  now = 1000;
  expect(mayTell("down")).toBe(2);
});

test("a burst of small deliveries is two lines: the first at once, the rest together", () => {
  const lines: unknown[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const report = createReport(log, () => 0);
  for (let i = 0; i < 50; i++) report.delivered(2, 100);
  report.conflicted();
  report.flush();
  report.flush();
  expect(lines).toMatchObject([
    { changes: 2, batches: 1, conflicts: 0 },
    { changes: 98, batches: 49, bytes: 4900, conflicts: 1 },
  ]);
  expect(report.counters).toMatchObject({ changes: 100, batches: 50, conflicts: 1 });
});
