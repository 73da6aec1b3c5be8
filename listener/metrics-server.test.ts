import { expect, test } from "vitest";
import { healthOf, PATIENCE_MS } from "./metrics-server.ts";

test("it is healthy connected, asleep on purpose, and for a minute without Postgres", () => {
  expect(healthOf("live", null).ok).toBe(true);
  expect(healthOf("asleep", 10 * PATIENCE_MS).ok).toBe(true);
  expect(healthOf("connecting", PATIENCE_MS - 1).ok).toBe(true);
});

test("longer without Postgres it is not, and says why", () => {
  expect(healthOf("connecting", PATIENCE_MS)).toEqual({
    ok: false,
    state: "connecting",
    withoutPostgresMs: PATIENCE_MS,
    why: "no connection to Postgres for 60 s; the log says why",
  });
});
