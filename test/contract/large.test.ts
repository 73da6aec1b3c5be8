/** Rows larger than a message may be: the writer never fails, the change arrives, and nothing stands still behind it. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Change } from "../../protocol/change.ts";
import { startStack, type Stack } from "../support/stack.ts";
import { watchEvents, watchSocket, type Watcher } from "../e2e/watchers.ts";

let stack: Stack;
let watchers: Watcher[] = [];
beforeAll(async () => {
  stack = await startStack();
  await stack.database.client.query(
    "CREATE TABLE document (id int PRIMARY KEY, body text NOT NULL); SELECT rowcast.watch('document')",
  );
  watchers = await Promise.all([watchSocket(stack.url), watchEvents(stack.url)]);
});
afterAll(async () => {
  for (const watcher of watchers) watcher.close();
  await stack?.stop();
});

const insert = (id: number, bytes: number) =>
  stack.database.client.query("INSERT INTO document VALUES ($1, repeat('x', $2))", [id, bytes]);
const arrived = async (watcher: Watcher, id: number): Promise<Change> => {
  const find = () => watcher.changes.find(({ key }) => key?.["id"] === id);
  await watcher.until(() => find() !== undefined);
  const change = find();
  if (change === undefined) throw new Error("it had arrived");
  return change;
};

test("a row of 900 kB travels whole", async () => {
  await insert(1, 900_000);
  for (const watcher of watchers) {
    const { data, truncated } = await arrived(watcher, 1);
    expect(truncated).toBeUndefined();
    expect(data?.["body"]).toHaveLength(900_000);
  }
});

test.each([
  [11, 1_000_000],
  [21, 30_000_000],
])(
  "row %i of %i bytes is announced by its key, and what is written after it comes after it",
  async (id, bytes) => {
    await insert(id, bytes);
    await insert(id + 1, 10);
    for (const watcher of watchers) {
      expect(await arrived(watcher, id + 1)).toMatchObject({ data: { body: "x".repeat(10) } });
      expect(await arrived(watcher, id)).toMatchObject({ operation: "INSERT", data: null, truncated: true });
      expect(watcher.changes.slice(-2).map(({ key }) => key?.["id"])).toEqual([id, id + 1]);
    }
  },
);

test("a row of 30 MB is changed and deleted as any other", async () => {
  const { client } = stack.database;
  await client.query("UPDATE document SET body = body || 'y' WHERE id = 21");
  await client.query("DELETE FROM document WHERE id = 21");
  await insert(31, 10);
  for (const watcher of watchers) {
    await arrived(watcher, 31);
    expect(watcher.changes.slice(-3, -1)).toMatchObject([
      { operation: "UPDATE", key: { id: 21 }, data: null, truncated: true },
      { operation: "DELETE", key: { id: 21 }, data: null, truncated: true },
    ]);
  }
});
