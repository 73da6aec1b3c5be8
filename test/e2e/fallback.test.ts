/** With no listener, the ChangeLog reads the outbox itself: slower, exact all the same, and everyone is told. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { ListenerStatus } from "../../protocol/messages.ts";
import { startNeonEndpoint, type NeonEndpoint } from "../support/neon-endpoint.ts";
import { fetchDescribed } from "../support/openapi.ts";
import { startStack, type Stack } from "../support/stack.ts";
import { watchEvents, watchSocket, type Watcher } from "./watchers.ts";

let endpoint: NeonEndpoint;
beforeAll(async () => {
  endpoint = await startNeonEndpoint();
});
afterAll(() => endpoint?.close());

describe.each(["pg over TCP", "Neon over HTTP"])("With no listener, through %s", (adapter) => {
  let stack: Stack;
  let watchers: Watcher[] = [];
  beforeAll(async () => {
    stack = await startStack({
      vars: {
        FALLBACK_AFTER_MS: "1500",
        ...(adapter.startsWith("Neon") && { NEON_FETCH_ENDPOINT: endpoint.url }),
      },
      listener: { KEEPALIVE_MS: "150" }, // more often than FALLBACK_AFTER_MS, as it has to be
      startListener: false,
    });
  });
  afterEach(() => {
    for (const watcher of watchers) watcher.close();
    watchers = [];
  });
  afterAll(() => stack?.stop());

  const watch = async (): Promise<Watcher[]> => {
    watchers = await Promise.all([watchSocket(stack.url), watchEvents(stack.url)]);
    return watchers;
  };

  /** Resolves when this is the last that the watcher was told of the listener. */
  const told = (watcher: Watcher, listener: ListenerStatus) =>
    watcher.until(
      () =>
        watcher.messages.findLast((message) => message.type === "status" || message.type === "welcome")
          ?.listener === listener,
    );
  const health = async () =>
    (await (await fetchDescribed(`${stack.url}/health`)).json()) as Record<string, unknown>;
  const insert = (name: string) =>
    stack.database.client.query("INSERT INTO orders (customer_name, product_name) VALUES ($1, 'p')", [name]);
  const names = ({ changes }: Watcher) => changes.map(({ data }) => data?.["customer_name"]);

  it("those who watch before anything has ever been read are told to reload", async () => {
    const [socket] = await watch();
    await insert("before the log began");
    await socket?.until(() => socket.messages.some(({ type }) => type === "reset"));
  });

  it("without a listener changes arrive once, and the status says so", async () => {
    const all = await watch();
    for (const watcher of all) await told(watcher, "down");
    expect(await health()).toMatchObject({ status: "degraded", listener: "down" });
    await insert("first");
    await insert("second");
    const body = JSON.stringify({ customer_name: "third", product_name: "p" });
    await fetchDescribed(`${stack.url}/api/orders`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body,
    });
    for (const watcher of all) {
      await watcher.until(() => watcher.changes.length >= 3);
      expect(names(watcher)).toEqual(["first", "second", "third"]);
    }
  });

  it("a listener that comes takes over, goes, and comes back, and nothing is lost or doubled", async () => {
    const all = await watch();
    const expected: string[] = [];
    const arrives = async (name: string) => {
      expected.push(name);
      await insert(name);
      for (const watcher of all) await watcher.until(() => names(watcher).includes(name));
    };
    for (const round of ["a", "b"]) {
      await arrives(`down ${round}`);
      expected.push(`between ${round}`);
      await insert(`between ${round}`); // whoever is first brings it
      await stack.startListener();
      for (const watcher of all) await told(watcher, "live");
      await arrives(`live ${round}`);
      expect(await health()).toMatchObject({ status: "ok", listener: "live" });
      await stack.killListener("SIGKILL");
      expected.push(`lost ${round}`);
      await insert(`lost ${round}`);
      for (const watcher of all) await told(watcher, "down");
    }
    await arrives("last");
    for (const watcher of all) {
      expect(names(watcher)).toEqual(expected);
      expect(watcher.messages.filter(({ type }) => type === "reset")).toEqual([]);
    }
  });
});
