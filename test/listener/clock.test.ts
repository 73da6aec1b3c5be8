/** A clock that is off: the listener's own is an hour from the database's. */
import { expect, test } from "vitest";
import { idsIn, setStage } from "./stage.ts";

const stage = setStage();

/** An option for Node that puts its wall clock forward by so much. */
function clockPutForward(ms: number): string {
  const code = `const { now } = Date; const Real = Date;
    globalThis.Date = class extends Real {
      constructor(...given) { super(...(given.length > 0 ? given : [now() + ${ms}])); }
      static now() { return now() + ${ms}; }
    };`;
  return `--import=data:text/javascript,${encodeURIComponent(code)}`;
}

test.each([
  ["ahead of", 3_600_000],
  ["behind", -3_600_000],
])("a listener an hour %s the database delivers everything and prunes nothing early", async (_, ms) => {
  const log = await stage.openLog();
  const after = await stage.lastId();
  const listener = await stage.startReady(log, {
    NODE_OPTIONS: clockPutForward(ms),
    OUTBOX_RETENTION_MS: "1800000",
  });
  expect(Math.abs(Number(listener.lines[0]?.["time"]) - Date.now() - ms)).toBeLessThan(60_000);
  await stage.insert(20);
  await log.until(() => log.changes.length === 20);
  expect(idsIn(log)).toEqual(await stage.outboxIds(after));
  await listener.end("SIGTERM");
  // A fresh listener prunes after its first drain; half an hour by the database's clock has not passed.
  const again = await stage.startReady(log, {
    NODE_OPTIONS: clockPutForward(ms),
    OUTBOX_RETENTION_MS: "1800000",
  });
  await stage.insert(1);
  await log.until(() => log.changes.length === 21);
  await again.end("SIGTERM");
  expect(await stage.outboxIds(after)).toHaveLength(21);
});
