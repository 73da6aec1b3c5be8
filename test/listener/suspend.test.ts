/** SUSPEND=auto where nobody can wake it: with a Worker of before the control socket. */
import { expect, test } from "vitest";
import { idsIn, setStage } from "./stage.ts";

const stage = setStage();

test("with a Worker that has no control socket it says so once, stays awake and delivers", async () => {
  const log = await stage.openLog();
  const listener = await stage.startReady(log, {
    SUSPEND: "auto",
    IDLE_AFTER_MS: "0",
    KEEPALIVE_MS: "100",
  });
  const { reason } = await listener.line("no control socket: staying awake");
  expect(reason).toContain("404");
  const after = await stage.lastId();
  await log.until(() => log.outcomes.filter((outcome) => outcome === "heartbeat").length >= 5);
  await stage.insert(3);
  await log.until(() => log.changes.length >= 3);
  expect(idsIn(log)).toEqual(await stage.outboxIds(after));
  expect(listener.lines.filter(({ msg }) => msg.startsWith("no control socket"))).toHaveLength(1);
});
