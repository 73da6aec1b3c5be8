/** The listener dies while rows change, and is started again. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { parsePosition } from "../../protocol/position.ts";
import { fetchDescribed } from "../support/openapi.ts";
import { startStack, type Stack } from "../support/stack.ts";
import { watchAll, watchEvents, watchSocket, type Watcher } from "./watchers.ts";

let stack: Stack;
const watchers: Watcher[] = [];
beforeAll(async () => {
  stack = await startStack();
});
afterAll(async () => {
  for (const watcher of watchers) watcher.close();
  await stack?.stop();
});

const position = async () => {
  const health = (await (await fetchDescribed(`${stack.url}/health`)).json()) as { position: string };
  return health.position;
};

it("SIGKILL, 100 rows, start: all 100 arrive, once, at those who stayed and at those who come back", async () => {
  const { client } = stack.database;
  await client.query(
    "INSERT INTO orders (customer_name, product_name) SELECT 'c', 'p' FROM generate_series(1, 100)",
  );
  const stayed = await watchAll(stack.url);
  watchers.push(...stayed);
  const since = await position();
  const { epoch, seq } = parsePosition(since) ?? { epoch: "", seq: Number.NaN };

  await stack.killListener("SIGKILL");
  const { rows } = await client.query<{ id: number }>("SELECT id FROM orders ORDER BY id");
  for (const { id } of rows) await client.query("UPDATE orders SET status = 'shipped' WHERE id = $1", [id]);
  expect(stayed.map(({ changes }) => changes.length)).toEqual([0, 0, 0]);
  await stack.startListener();

  const expected = rows.map(({ id }, index) => ({ seq: seq + index + 1, id, status: "shipped" }));
  const came = ({ changes }: Watcher) =>
    changes.map(({ seq, data }) => ({ seq, id: data?.["id"], status: data?.["status"] }));
  for (const watcher of stayed) {
    await watcher.until(() => watcher.changes.length >= 100);
    expect(came(watcher)).toEqual(expected);
  }
  expect(await position()).toBe(`${epoch}.${seq + 100}`);

  const back = await Promise.all([
    watchSocket(stack.url, `?since=${since}`),
    watchEvents(stack.url, `?since=${since}`),
    watchSocket(stack.url, `?since=${epoch}.${seq + 60}`),
  ]);
  watchers.push(...back);
  // One more for all: whatever came twice would be in front of it.
  await client.query("DELETE FROM orders WHERE id = $1", [rows[0]?.id]);
  for (const watcher of [...stayed, ...back]) {
    await watcher.until(() => watcher.changes.at(-1)?.operation === "DELETE");
  }
  for (const watcher of stayed) expect(watcher.changes.length).toBe(101);
  const [socket, events, later] = back.map((watcher) => came(watcher).slice(0, -1));
  expect(socket).toEqual(expected);
  expect(events).toEqual(expected);
  expect(later).toEqual(expected.slice(60));
});
