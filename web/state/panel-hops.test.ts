import { expect, test } from "vitest";
import { isProbeAnswer, pageHop, probeFailure, toHops } from "./panel-hops.ts";

test("hops have names for people, also those that a newer server may add", () => {
  const hops = toHops([
    { hop: "database", ms: 3 },
    { hop: "satellite", ms: 250 },
  ]);
  expect(hops.map(({ name, ms }) => [name, ms])).toEqual([
    ["Database", 3],
    ["satellite", 250],
  ]);
});

test("the last hop is what the Worker did not see of the time until the change was here", () => {
  expect(pageHop(1_050, 1_000, 38).ms).toBe(12);
  expect(pageHop(1_030, 1_000, 38).ms).toBe(0); // it came before the Worker had heard of it
  expect(pageHop(null, 1_000, 38).ms).toBeNull();
});

test("a failed probe says what to look at and how far it came", () => {
  const problem = { success: false, detail: "No hub has it.", probe: { hops: [{ hop: "database", ms: 4 }] } };
  expect(isProbeAnswer(problem)).toBe(false);
  expect(probeFailure(problem)).toMatchObject({
    message: "No hub has it.",
    hops: [{ name: "Database", ms: 4 }],
  });
  expect(probeFailure(null)).toEqual({ message: "The server's answer could not be read.", hops: [] });
});
