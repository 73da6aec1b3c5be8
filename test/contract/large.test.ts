/** Rows larger than a message may be: the writer never fails, the change arrives, and nothing stands still behind it. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient, type Client } from "../../client/index.ts";
import type { Change } from "../../protocol/change.ts";
import { startStack, type Stack } from "../support/stack.ts";

interface Reader {
  readonly client: Client;
  readonly changes: Change[];
  /** Resolves with the change of the row, which has arrived or will. */
  readonly change: (id: number) => Promise<Change>;
}

let stack: Stack;
let readers: Reader[] = [];
beforeAll(async () => {
  stack = await startStack();
  await stack.database.client.query(
    "CREATE TABLE document (id int PRIMARY KEY, body text NOT NULL); SELECT rowcast.watch('document')",
  );
  readers = await Promise.all([open("websocket"), open("sse")]);
});
afterAll(async () => {
  for (const { client } of readers) client.close();
  await stack?.stop();
});

async function open(transport: "websocket" | "sse"): Promise<Reader> {
  const client = createClient({ url: stack.url, transports: [transport] });
  const changes: Change[] = [];
  const waiting: (() => void)[] = [];
  client.on("changes", (frame) => {
    changes.push(...frame.changes);
    for (const look of waiting) look();
  });
  await new Promise<void>((resolve) => void client.on("welcome", () => resolve()));
  return {
    client,
    changes,
    change: (id) =>
      new Promise((resolve) => {
        const look = () => {
          const found = changes.find(({ key }) => key?.["id"] === id);
          if (found) resolve(found);
        };
        waiting.push(look);
        look();
      }),
  };
}

const insert = (id: number, bytes: number) =>
  stack.database.client.query("INSERT INTO document VALUES ($1, repeat('x', $2))", [id, bytes]);

test("a row of 900 kB travels whole", async () => {
  await insert(1, 900_000);
  for (const { change } of readers) {
    const { data, truncated } = await change(1);
    expect(truncated).toBeUndefined();
    expect(data?.["body"]).toHaveLength(900_000);
  }
});

test.each([
  [11, 1_000_000],
  [21, 30_000_000],
])("row %i of %i bytes is announced by its key, and the next one comes after it", async (id, bytes) => {
  await insert(id, bytes);
  await insert(id + 1, 10);
  for (const { change, changes } of readers) {
    expect(await change(id + 1)).toMatchObject({ data: { body: "x".repeat(10) } });
    expect(await change(id)).toMatchObject({ operation: "INSERT", data: null, truncated: true });
    expect(changes.slice(-2).map(({ key }) => key?.["id"])).toEqual([id, id + 1]);
  }
});

test("a row of 30 MB is changed and deleted as any other", async () => {
  const { client } = stack.database;
  await client.query("UPDATE document SET body = body || 'y' WHERE id = 21");
  await client.query("DELETE FROM document WHERE id = 21");
  await insert(31, 10);
  for (const { change, changes } of readers) {
    await change(31);
    expect(changes.slice(-3, -1)).toMatchObject([
      { operation: "UPDATE", key: { id: 21 }, data: null, truncated: true },
      { operation: "DELETE", key: { id: 21 }, data: null, truncated: true },
    ]);
  }
});
