/** The listener and a database that suspends: the whole stack, with a stand-in for Neon's compute before Postgres. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { watchSocket, type Watcher } from "../e2e/watchers.ts";
import { startListener, type ListenerProcess } from "../listener/listener-process.ts";
import { connect } from "../support/postgres.ts";
import { INGEST_SECRET, startStack, type Stack } from "../support/stack.ts";
import { startCompute, type Compute } from "./compute.ts";

/** Neon's 5 minutes. */
const SUSPEND_AFTER_MS = 400;
const ASLEEP = "asleep: nobody watches, the database may sleep too";

let compute: Compute;
let stack: Stack;
beforeAll(async () => {
  compute = await startCompute({
    postgresUrl: inject("postgresUrl"),
    suspendAfterMs: SUSPEND_AFTER_MS,
    wakeMs: 150,
    lookEveryMs: 25,
  });
  stack = await startStack({ via: (url) => compute.through(url), startListener: false });
});
afterAll(async () => {
  await stack?.stop();
  await compute?.close();
});

/** A listener for this test; once it has said `event` of its life. */
async function listen(
  env: Readonly<Record<string, string>> = {},
  event = "caught up",
): Promise<ListenerProcess> {
  const listener = startListener({
    DATABASE_URL: compute.through(stack.database.logins.listener),
    WORKER_URL: stack.url,
    INGEST_SECRET,
    SUSPEND: "auto",
    IDLE_AFTER_MS: "100",
    KEEPALIVE_MS: "150",
    WAKE_EVERY_MS: "0",
    ...env,
  });
  await listener.line(event);
  return listener;
}

/** With nobody watching: once the listener sleeps, and the compute after it. */
async function listenUntilAsleep(env: Readonly<Record<string, string>> = {}): Promise<ListenerProcess> {
  const listener = await listen(env, ASLEEP);
  await compute.untilSuspended();
  return listener;
}

async function watch(since = ""): Promise<Watcher> {
  const watcher = await watchSocket(stack.url, since);
  onTestFinished(() => watcher.close());
  return watcher;
}

/** As an application does it: through the compute, which has to wake for it, on a connection that is closed again. */
async function write(name: string): Promise<void> {
  const client = await connect(compute.through(stack.database.url));
  await client.query("INSERT INTO orders (customer_name, product_name) VALUES ($1, 'p')", [name]);
  await client.end();
}

const health = async () =>
  (await (await fetch(`${stack.url}/health`)).json()) as {
    status: string;
    listener: string;
    position: string;
  };
const names = ({ changes }: Watcher) => changes.map(({ data }) => data?.["customer_name"]);
const statuses = ({ messages }: Watcher) =>
  messages.flatMap((message) =>
    message.type === "status" || message.type === "welcome" ? [message.listener] : [],
  );

/** The log has no event for those who do not watch. */
async function untilPositionAfter(position: string): Promise<void> {
  while ((await health()).position === position) await sleep(10);
}

describe("with nobody watching", () => {
  test("the listener lets go, the compute suspends, and both say so", async () => {
    const listener = await listenUntilAsleep();
    expect(await health()).toMatchObject({ status: "ok", listener: "asleep" });
    expect(listener.lines.some(({ msg }) => msg === "reconnecting to Postgres")).toBe(false);
  });

  test("what was written meanwhile wakes the compute and nobody else, and arrives with the first client", async () => {
    const listener = await listenUntilAsleep();
    const { position } = await health();
    await write("while all slept");
    await compute.untilSuspended();
    expect((await health()).position).toBe(position);
    const watcher = await watch(`?since=${position}`);
    await watcher.until(() => names(watcher).includes("while all slept"));
    await watcher.until(() => statuses(watcher).includes("live"));
    expect(statuses(watcher)[0]).toBe("asleep");
    expect(statuses(watcher)).not.toContain("down");
    await write("now awake");
    await watcher.until(() => names(watcher).includes("now awake"));
    expect(names(watcher)).toEqual(["while all slept", "now awake"]);
    watcher.close();
    await listener.line(ASLEEP, (line) => line !== listener.lines.find(({ msg }) => msg === ASLEEP));
    await compute.untilSuspended();
  });

  test("a write through the API wakes it", async () => {
    const listener = await listenUntilAsleep();
    const { position } = await health();
    const response = await fetch(`${stack.url}/api/orders`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ customer_name: "by the API", product_name: "p" }),
    });
    expect(response.status).toBe(201);
    await untilPositionAfter(position);
    await listener.line("waking", ({ because }) => because === "wake");
    await compute.untilSuspended();
  });

  test("it looks by itself after WAKE_EVERY_MS, and sleeps again at once", async () => {
    // The compute's suspension is what sends it to sleep the first time: its own patience would take ten minutes.
    const listener = await listenUntilAsleep({
      WAKE_EVERY_MS: "1500",
      IDLE_AFTER_MS: "600000",
      KEEPALIVE_MS: "600000",
    });
    const { position } = await health();
    await write("found by looking");
    await untilPositionAfter(position);
    await listener.line("waking", ({ because }) => because === "timer");
    await listener.line("vigil", ({ before, now }) => before === "waking" && now === "asleep");
    await compute.untilSuspended();
  });

  test("the compute's own suspension is not answered by waking it", async () => {
    const listener = await listen({ IDLE_AFTER_MS: "600000", KEEPALIVE_MS: "600000" });
    await compute.untilSuspended();
    await listener.line(ASLEEP);
    const suspensions = compute.suspensions;
    const { position } = await health();
    await sleep(2 * SUSPEND_AFTER_MS); // that nothing happens takes time to be seen
    expect([compute.awake, compute.suspensions]).toEqual([false, suspensions]);
    await write("after 57P01");
    const watcher = await watch(`?since=${position}`);
    await watcher.until(() => names(watcher).includes("after 57P01"));
  });

  test("two listeners both sleep, both wake, and each change comes once", async () => {
    const pair = [await listen(), await listen()];
    await Promise.all(pair.map((listener) => listener.line(ASLEEP)));
    await compute.untilSuspended();
    const { position, listener } = await health();
    expect(listener).toBe("asleep");
    await write("for two");
    const watcher = await watch(`?since=${position}`);
    await Promise.all(pair.map((listener) => listener.line("waking")));
    for (let i = 0; i < 10; i++) await write(`pair ${i}`);
    await watcher.until(() => names(watcher).includes("pair 9"));
    expect(names(watcher)).toEqual(["for two", ...Array.from({ length: 10 }, (_, i) => `pair ${i}`)]);
  });

  test("a control socket that is lost touches no database, and the next one wakes it all the same", async () => {
    const listener = await listenUntilAsleep();
    const { position } = await health();
    await stack.evictChangeLog("close");
    await listener.line("reconnecting the control socket");
    await listener.line(
      "control socket open",
      (line) => line !== listener.lines.find(({ msg }) => msg === "control socket open"),
    );
    expect(compute.awake).toBe(false);
    await write("by the next socket");
    await compute.untilSuspended();
    const watcher = await watch(`?since=${position}`);
    await watcher.until(() => names(watcher).includes("by the next socket"));
  });

  test("SIGTERM ends it within a second", async () => {
    const listener = await listenUntilAsleep();
    const { code, ms } = await listener.end("SIGTERM");
    expect(code).toBe(0);
    expect(ms).toBeLessThan(1000);
    expect(listener.lines.at(-1)?.msg).toBe("stopped");
  });
});

describe("with a client watching", () => {
  test("the keepalive holds the compute awake, and a suspension all the same is answered at once", async () => {
    await listen();
    const watcher = await watch();
    await watcher.until(() => statuses(watcher).at(-1) === "live");
    const { suspensions, awakeMs } = compute;
    while (compute.awakeMs < awakeMs + 2 * SUSPEND_AFTER_MS) await sleep(50);
    expect(compute.suspensions).toBe(suspensions);
    await write("before maintenance");
    await compute.suspend();
    await compute.untilAwake(); // nobody but the listener wakes it
    await write("after maintenance");
    await watcher.until(() => names(watcher).includes("after maintenance"));
    expect(names(watcher)).toEqual(["before maintenance", "after maintenance"]);
  });
});

test("SUSPEND=prevent stays awake with nobody watching", async () => {
  await listen({ SUSPEND: "prevent" });
  const { suspensions, awakeMs } = compute;
  while (compute.awakeMs < awakeMs + 3 * SUSPEND_AFTER_MS) await sleep(50);
  expect(compute.suspensions).toBe(suspensions);
});
