/** How it starts and how it ends. */
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { findFreePort } from "../../dev/ports.ts";
import { startListener, type ListenerProcess } from "./listener-process.ts";
import { idsIn, setStage } from "./stage.ts";

const stage = setStage();
const PROMISED_MS = 1_000;

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s ends it within a second amid a batch, and nothing is lost",
  async (signal) => {
    const log = await stage.openLog();
    const after = await stage.lastId();
    const listener = await stage.startReady(log);
    log.fail("held");
    await stage.insert(10);
    await log.until(() => log.outcomes.includes("held"));
    await expectPromptEnd(listener, signal);
    await stage.startReady(log);
    expect(idsIn(log)).toEqual(await stage.outboxIds(after));
  },
);

test("SIGTERM ends it within a second while it waits for the doorbell", async () => {
  const listener = await stage.startReady(await stage.openLog());
  await expectPromptEnd(listener, "SIGTERM");
});

test("SIGTERM ends it within a second while Postgres takes the connection and says nothing", async () => {
  const silent = createServer(() => {}).listen(0, "127.0.0.1");
  onTestFinished(() => void silent.close());
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  const listener = startListener({
    DATABASE_URL: `postgres://u:p@127.0.0.1:${port}/db`,
    WORKER_URL: "http://x",
  });
  await once(silent, "connection");
  await expectPromptEnd(listener, "SIGTERM");
});

test("it starts before Postgres and the Worker are there, and SIGTERM ends it while it backs off", async () => {
  const port = await findFreePort();
  const listener = startListener({
    DATABASE_URL: `postgres://u:p@127.0.0.1:${port}/db`,
    WORKER_URL: "http://x",
  });
  const { reason } = await listener.line("reconnecting to Postgres");
  expect(reason).toContain("ECONNREFUSED");
  await expectPromptEnd(listener, "SIGTERM");
});

test("a wrong configuration ends it with code 2, every variable named and no value shown", async () => {
  const listener = startListener({
    DATABASE_URL: "postgres://user:hunter2@db-pooler.eu.neon.tech/shop",
    KEEPALIVE_MS: "soon",
    INGEST_SECRET: "",
  });
  const { code, stderr } = await listener.exited;
  expect(code).toBe(2);
  expect(stderr).toContain("DATABASE_URL names the pooled host db-pooler.eu.neon.tech");
  expect(stderr).toContain("use the direct host db.eu.neon.tech");
  expect(stderr).toContain("WORKER_URL is missing");
  expect(stderr).toContain("INGEST_SECRET is missing");
  expect(stderr).toContain("KEEPALIVE_MS is not a whole number");
  expect(stderr).not.toContain("hunter2");
});

/** By its own doing, that is: not by the last call that cuts it short. */
async function expectPromptEnd(listener: ListenerProcess, signal: NodeJS.Signals): Promise<void> {
  const { code, ms } = await listener.end(signal);
  expect(code).toBe(0);
  expect(ms).toBeLessThan(PROMISED_MS);
  expect(listener.lines.at(-1)?.msg).toBe("stopped");
}
