/** What stays awake, what is lost when the compute goes under it (nothing), and what happens when the listener does not wake. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { namesIn, setStage, statusesIn, SUSPEND_AFTER_MS } from "./stage.ts";

const stage = setStage();

describe("with a client watching", () => {
  test("the keepalive holds the compute awake, and a suspension all the same is answered at once", async () => {
    await stage.listen();
    const watcher = await stage.watch();
    await watcher.until(() => statusesIn(watcher).at(-1) === "live");
    const { suspensions, awakeMs } = stage.compute;
    while (stage.compute.awakeMs < awakeMs + 2 * SUSPEND_AFTER_MS) await sleep(50);
    expect(stage.compute.suspensions).toBe(suspensions);
    await stage.write("before maintenance");
    await stage.compute.suspend();
    await stage.compute.untilAwake(); // nobody but the listener wakes it
    await stage.write("after maintenance");
    await watcher.until(() => namesIn(watcher).includes("after maintenance"));
    expect(namesIn(watcher)).toEqual(["before maintenance", "after maintenance"]);
  });
});

test("SUSPEND=prevent stays awake with nobody watching", async () => {
  await stage.listen({ SUSPEND: "prevent" });
  const { suspensions, awakeMs } = stage.compute;
  while (stage.compute.awakeMs < awakeMs + 3 * SUSPEND_AFTER_MS) await sleep(50);
  expect(stage.compute.suspensions).toBe(suspensions);
});

test("suspensions amid writes lose nothing, and nothing comes twice", async () => {
  await stage.listen();
  const watcher = await stage.watch();
  await watcher.until(() => statusesIn(watcher).at(-1) === "live");
  const before = await stored();
  for (let i = 0; i < 60; i += 1) {
    if (i % 15 === 7) void stage.compute.suspend();
    await stage.write(`amid ${i}`).catch(() => undefined); // cut off by 57P01: it may be stored or not
  }
  await stage.write("the last");
  await watcher.until(() => namesIn(watcher).includes("the last"));
  expect(namesIn(watcher)).toEqual((await stored()).slice(before.length));
});

test("a listener that is called in vain is replaced by the log's own look, after five seconds", async () => {
  const listener = await stage.listenUntilAsleep();
  const { position } = await stage.health();
  await stage.write("called in vain");
  await stage.compute.untilSuspended();
  process.kill(listener.pid, "SIGSTOP");
  const startedAt = performance.now();
  const watcher = await stage.watch(`?since=${position}`);
  await watcher.until(() => namesIn(watcher).includes("called in vain"));
  expect(performance.now() - startedAt).toBeGreaterThan(4_000);
  expect(statusesIn(watcher)).toContain("down");
  process.kill(listener.pid, "SIGCONT");
  await watcher.until(() => statusesIn(watcher).at(-1) === "live");
});

/** The customers in the table, past the compute. */
async function stored(): Promise<string[]> {
  const { rows } = await stage.stack.database.client.query<{ customer_name: string }>(
    "SELECT customer_name FROM orders ORDER BY id",
  );
  return rows.map(({ customer_name }) => customer_name);
}
