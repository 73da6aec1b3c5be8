import { expect, test } from "vitest";
import { createDoorbell } from "./doorbell.ts";

const NEVER = new AbortController().signal;
const HOUR_MS = 3_600_000;

test("a ring ends the wait", async () => {
  const doorbell = createDoorbell();
  const waiting = doorbell.wait(HOUR_MS, NEVER);
  doorbell.ring();
  expect(await waiting).toBe(true);
});

test("a ring before the wait is not forgotten, and any number of rings is one", async () => {
  const doorbell = createDoorbell();
  doorbell.ring();
  doorbell.ring();
  expect(await doorbell.wait(HOUR_MS, NEVER)).toBe(true);
  doorbell.answer();
  expect(doorbell.rung).toBe(false);
  expect(await doorbell.wait(1, NEVER)).toBe(false);
});

test("a wait is given up with the signal's reason", async () => {
  const doorbell = createDoorbell();
  const stop = new AbortController();
  const waiting = doorbell.wait(HOUR_MS, stop.signal);
  stop.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  await expect(doorbell.wait(HOUR_MS, stop.signal)).rejects.toThrow("enough");
});
