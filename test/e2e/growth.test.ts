/** One deployment for few and for many: hubs come and go with the clients, and clients move between them without loss. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createClient } from "../../client/index.ts";
import { Reader } from "../contract/reader.ts";
import { startStack, type Stack } from "../support/stack.ts";

/** Hubs so small that a few clients make a tree: 32 of them, and two that hand on to these. */
const HUB_SOCKETS = "4";
const CLIENTS = 60;

let stack: Stack;
const readers: Reader[] = [];
/** Resolves when a client has been let in a second time. */
const moved = Promise.withResolvers<void>();
beforeAll(async () => {
  stack = await startStack({ vars: { HUB_SOCKETS, ALLOW_HUB_OVERRIDE: "region" } });
});
afterEach(({ task }) => {
  if (task.result?.state === "fail") console.error(stack.logs());
});
afterAll(async () => {
  for (const reader of readers) reader.close();
  await stack.stop();
});

const open = (
  region: string,
  transports: readonly ("websocket" | "sse")[] = ["websocket"],
): Promise<Reader> => {
  const client = createClient({ url: `${stack.url}/?region=${region}`, transports });
  const reader = new Reader(client);
  let welcomes = 0;
  client.on("welcome", () => {
    welcomes += 1;
    if (welcomes > 1) moved.resolve();
  });
  readers.push(reader);
  return reader.opened();
};
const insert = (name: string) =>
  stack.database.client.query("INSERT INTO orders (customer_name, product_name) VALUES ($1, 'p')", [name]);
const clients = async () => {
  const answer = await fetch(`${stack.url}/api/status`);
  return ((await answer.json()) as { clients: { total: number; hubs: object; shards: object } }).clients;
};
const names = ({ changes }: Reader) => changes.map(({ data }) => data?.["customer_name"]);

describe("A region that is crowded", () => {
  const expected: string[] = [];
  const write = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n += 1) {
      expected.push(`order ${expected.length}`);
      await insert(expected.at(-1) ?? "");
    }
  };
  /** Every one of them has every change, once, in order, and was never told to reload. */
  const expectExact = async (): Promise<void> => {
    for (const reader of readers) {
      await reader.until(() => reader.changes.at(-1)?.data?.["customer_name"] === expected.at(-1));
      const own = names(reader);
      expect(own).toEqual(expected.slice(expected.length - own.length));
      expect(reader.resets).toEqual([]);
    }
  };

  it("gets more hubs, and hubs that hand on to them, while nobody there or elsewhere misses anything", async () => {
    await open("weur");
    await open("apac", ["sse"]);
    for (let begun = 0; begun < CLIENTS; begun += 10)
      await Promise.all([write(20), ...Array.from({ length: 10 }, () => open("weur"))]);
    await write(1);
    await moved.promise; // out of the first hub, which was full before there were others
    await write(1);
    await expectExact();
    const { hubs, shards } = await clients();
    expect(shards).toEqual({ weur: 32 });
    expect(Object.keys(hubs)).toEqual(expect.arrayContaining(["apac:0", "weur/1:0"]));
    expect(Object.keys(hubs).filter((name) => name.startsWith("weur:"))).toEqual([]);
  });

  it("goes on when the hubs that hand on, and those below them, lose their memory or their sockets", async () => {
    await stack.evictHub("hibernate", "weur/1:0");
    await write(1);
    await expectExact();
    for (const name of ["weur/1:0", "weur:0", "weur:1", "weur:2"]) {
      await stack.evictHub(name === "weur:1" ? "close" : "hibernate", name);
      await write(1);
      await expectExact();
    }
    await stack.evictChangeLog();
    await write(1);
    await expectExact();
  });

  it("is counted through the hubs that hand on", async () => {
    while (readers.length > 5) readers.pop()?.close();
    for (;;) {
      const { total } = await clients();
      if (total === 5) break;
      await write(1); // each takes the count along
    }
    await expectExact();
  });
});
