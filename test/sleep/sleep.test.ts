/** With nobody watching: who sleeps, and what wakes them. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { ASLEEP, namesIn, setStage, statusesIn, SUSPEND_AFTER_MS } from "./stage.ts";

const stage = setStage();

describe("with nobody watching", () => {
  test("the listener lets go, the compute suspends, and both say so", async () => {
    const listener = await stage.listenUntilAsleep();
    expect(await stage.health()).toMatchObject({ status: "ok", listener: "asleep" });
    expect(listener.lines.some(({ msg }) => msg === "reconnecting to Postgres")).toBe(false);
  });

  test("what was written meanwhile wakes the compute and nobody else, and arrives with the first client", async () => {
    const listener = await stage.listenUntilAsleep();
    const { position } = await stage.health();
    await stage.write("while all slept");
    await stage.compute.untilSuspended();
    expect((await stage.health()).position).toBe(position);
    const watcher = await stage.watch(`?since=${position}`);
    await watcher.until(() => namesIn(watcher).includes("while all slept"));
    await watcher.until(() => statusesIn(watcher).includes("live"));
    expect(statusesIn(watcher)[0]).toBe("asleep");
    expect(statusesIn(watcher)).not.toContain("down");
    await stage.write("now awake");
    await watcher.until(() => namesIn(watcher).includes("now awake"));
    expect(namesIn(watcher)).toEqual(["while all slept", "now awake"]);
    watcher.close();
    await listener.line(ASLEEP, (line) => line !== listener.lines.find(({ msg }) => msg === ASLEEP));
    await stage.compute.untilSuspended();
  });

  test("a write through the API wakes it", async () => {
    const listener = await stage.listenUntilAsleep();
    const { position } = await stage.health();
    const response = await fetch(`${stage.stack.url}/api/orders`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ customer_name: "by the API", product_name: "p" }),
    });
    expect(response.status).toBe(201);
    await stage.untilPositionAfter(position);
    await listener.line("waking", ({ because }) => because === "wake");
    await stage.compute.untilSuspended();
  });

  test("it looks by itself after WAKE_EVERY_MS, clears up, and sleeps again at once", async () => {
    // The compute's suspension is what sends it to sleep the first time: its own patience would take ten minutes.
    const listener = await stage.listenUntilAsleep({
      WAKE_EVERY_MS: "1500",
      OUTBOX_RETENTION_MS: "0",
      IDLE_AFTER_MS: "600000",
      KEEPALIVE_MS: "600000",
    });
    const { position } = await stage.health();
    await stage.write("found by looking");
    await stage.untilPositionAfter(position);
    await listener.line("waking", ({ because }) => because === "timer");
    await listener.line("vigil", ({ before, now }) => before === "waking" && now === "asleep");
    // And has cleared up: otherwise the outbox would grow for as long as nobody comes.
    const { rows } = await stage.stack.database.client.query("SELECT id FROM rowcast.changes");
    expect(rows).toHaveLength(1);
    await stage.compute.untilSuspended();
  });

  test("the compute's own suspension is not answered by waking it", async () => {
    const listener = await stage.listen({ IDLE_AFTER_MS: "600000", KEEPALIVE_MS: "600000" });
    await stage.compute.untilSuspended();
    await listener.line(ASLEEP);
    const suspensions = stage.compute.suspensions;
    const { position } = await stage.health();
    await sleep(2 * SUSPEND_AFTER_MS); // that nothing happens takes time to be seen
    expect([stage.compute.awake, stage.compute.suspensions]).toEqual([false, suspensions]);
    await stage.write("after 57P01");
    const watcher = await stage.watch(`?since=${position}`);
    await watcher.until(() => namesIn(watcher).includes("after 57P01"));
  });

  test("two listeners both sleep, both wake, and each change comes once", async () => {
    const pair = [await stage.listen(), await stage.listen()];
    await Promise.all(pair.map((listener) => listener.line(ASLEEP)));
    await stage.compute.untilSuspended();
    const { position, listener } = await stage.health();
    expect(listener).toBe("asleep");
    await stage.write("for two");
    const watcher = await stage.watch(`?since=${position}`);
    await Promise.all(pair.map((listener) => listener.line("waking")));
    for (let i = 0; i < 10; i++) await stage.write(`pair ${i}`);
    await watcher.until(() => namesIn(watcher).includes("pair 9"));
    expect(namesIn(watcher)).toEqual(["for two", ...Array.from({ length: 10 }, (_, i) => `pair ${i}`)]);
  });

  test("a control socket that is lost touches no database, and the next one wakes it all the same", async () => {
    const listener = await stage.listenUntilAsleep();
    const { position } = await stage.health();
    await stage.stack.evictChangeLog("close");
    await listener.line("reconnecting the control socket");
    await listener.line(
      "control socket open",
      (line) => line !== listener.lines.find(({ msg }) => msg === "control socket open"),
    );
    expect(stage.compute.awake).toBe(false);
    await stage.write("by the next socket");
    await stage.compute.untilSuspended();
    const watcher = await stage.watch(`?since=${position}`);
    await watcher.until(() => namesIn(watcher).includes("by the next socket"));
  });

  test.each([
    ["asleep", () => stage.listenUntilAsleep()],
    ["with its control socket open", () => stage.listen({}, "control socket open")],
    ["about to sleep", () => stage.listen({ IDLE_AFTER_MS: "60000" })],
  ])("SIGTERM ends it within a second, %s", async (_, listen) => {
    const listener = await listen();
    const { code, ms } = await listener.end("SIGTERM");
    expect(code).toBe(0);
    expect(ms).toBeLessThan(1000);
    expect(listener.lines.at(-1)?.msg).toBe("stopped");
  });
});
