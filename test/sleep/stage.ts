/** What the tests of the sleep share: the whole stack, with a stand-in for Neon's compute before Postgres. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, inject, onTestFinished } from "vitest";
import type { Change } from "../../protocol/change.ts";
import { watchSocket, type Watcher } from "../e2e/watchers.ts";
import { startListener, type ListenerProcess } from "../listener/listener-process.ts";
import { connect } from "../support/postgres.ts";
import { INGEST_SECRET, startStack, type Stack } from "../support/stack.ts";
import { startCompute, type Compute } from "./compute.ts";

/** Neon's 5 minutes. */
export const SUSPEND_AFTER_MS = 400;
/** What the listener says when it lets go. */
export const ASLEEP = "asleep: nobody watches, the database may sleep too";

export interface Stage {
  readonly compute: Compute;
  readonly stack: Stack;
  /** A listener for this test; once it has said `event`. */
  listen(env?: Readonly<Record<string, string>>, event?: string): Promise<ListenerProcess>;
  /** With nobody watching: once the listener sleeps, and the compute after it. */
  listenUntilAsleep(env?: Readonly<Record<string, string>>): Promise<ListenerProcess>;
  /** A client for this test. */
  watch(since?: string): Promise<Watcher>;
  /** As an application does it: through the compute, which has to wake for it, on a connection that is closed again. */
  write(name: string): Promise<void>;
  health(): Promise<{ status: string; listener: string; position: string }>;
  /** The log has no event for those who do not watch. */
  untilPositionAfter(position: string): Promise<void>;
}

/** For the test file that calls this, at its top. */
export function setStage(): Stage {
  let compute: Compute | null = null;
  let stack: Stack | null = null;
  beforeAll(async () => {
    const made = await startCompute({
      postgresUrl: inject("postgresUrl"),
      suspendAfterMs: SUSPEND_AFTER_MS,
      wakeMs: 150,
      lookEveryMs: 25,
    });
    compute = made;
    stack = await startStack({
      via: (url) => made.through(url),
      vars: { FALLBACK_AFTER_MS: "1000" },
      startListener: false,
    });
  });
  afterAll(async () => {
    await stack?.stop();
    await compute?.close();
  });

  const stage: Stage = {
    get compute() {
      if (!compute) throw new Error("the compute is there from beforeAll on");
      return compute;
    },
    get stack() {
      if (!stack) throw new Error("the stack is there from beforeAll on");
      return stack;
    },
    async listen(env = {}, event = "caught up") {
      const listener = startListener({
        DATABASE_URL: stage.compute.through(stage.stack.database.logins.listener),
        WORKER_URL: stage.stack.url,
        INGEST_SECRET,
        SUSPEND: "auto",
        IDLE_AFTER_MS: "100",
        KEEPALIVE_MS: "150",
        WAKE_EVERY_MS: "0",
        ...env,
      });
      await listener.line(event);
      return listener;
    },
    async listenUntilAsleep(env = {}) {
      const listener = await stage.listen(env, ASLEEP);
      await stage.compute.untilSuspended();
      return listener;
    },
    async watch(since = "") {
      const watcher = await watchSocket(stage.stack.url, since);
      onTestFinished(() => watcher.close());
      return watcher;
    },
    async write(name) {
      const client = await connect(stage.compute.through(stage.stack.database.url));
      try {
        await client.query("INSERT INTO orders (customer_name, product_name) VALUES ($1, 'p')", [name]);
      } finally {
        await client.end();
      }
    },
    async health() {
      const response = await fetch(`${stage.stack.url}/health`);
      return (await response.json()) as { status: string; listener: string; position: string };
    },
    async untilPositionAfter(position) {
      while ((await stage.health()).position === position) await sleep(10);
    },
  };
  return stage;
}

/** The customers of the changes that have come, in their order. */
export function namesIn({ changes }: { changes: readonly Change[] }): unknown[] {
  return changes.map(({ data }) => data?.["customer_name"]);
}

/** What was said of the listener, oldest first. */
export function statusesIn({ messages }: Watcher): string[] {
  return messages.flatMap((message) =>
    message.type === "status" || message.type === "welcome" ? [message.listener] : [],
  );
}
