/** What operators ask about the outbox says the same as reading it would. */
import type { Client } from "pg";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { connect, createDatabase, type TestDatabase } from "../support/postgres.ts";

let database: TestDatabase;
let other: Client;
beforeAll(async () => {
  database = await createDatabase();
  other = await connect(database.url);
});
afterAll(async () => {
  await other?.end();
  await database?.drop();
});

const insert = (client: Client, count: number) =>
  client.query(
    `INSERT INTO orders (customer_name, product_name) SELECT 'a', 'b' FROM generate_series(1, ${count})`,
  );

async function read(cursor: string | null, max: number) {
  const { rows } = await database.client.query<{ count: number; next_cursor: string; more: boolean }>(
    "SELECT count, next_cursor, more FROM rowcast.read($1, $2, 1000000)",
    [cursor, max],
  );
  const [page] = rows;
  if (!page) throw new Error("rowcast.read answers with one row");
  return page;
}

async function waiting(cursor: string | null, max = 1000): Promise<number | null> {
  const { rows } = await database.client.query<{ waiting: number | null }>(
    "SELECT rowcast.waiting($1, $2) AS waiting",
    [cursor, max],
  );
  return rows[0]?.waiting ?? null;
}

let begin: string;
beforeEach(async () => {
  begin = (await read(null, 1)).next_cursor;
});

it("counts what is new, up to a limit, and nothing for no cursor", async () => {
  expect(await waiting(begin)).toBe(0);
  await insert(database.client, 7);
  expect(await waiting(begin)).toBe(7);
  expect(await waiting(begin, 5)).toBe(5);
  expect(await waiting(null)).toBeNull();
});

it("counts what is left while a window is read in pages, whatever commits meanwhile", async () => {
  await other.query("BEGIN");
  await insert(other, 3);
  await insert(database.client, 4);
  let { next_cursor: cursor } = await read(begin, 2);
  expect(await waiting(cursor)).toBe(2);
  await other.query("COMMIT");
  await insert(database.client, 1);
  for (let left = 6; left > 0;) {
    expect(await waiting(cursor)).toBe(left);
    const page = await read(cursor, 2);
    left -= page.count;
    cursor = page.next_cursor;
  }
  expect(await waiting(cursor)).toBe(0);
});

it("refuses what is no cursor", async () => {
  await expect(waiting("nonsense")).rejects.toMatchObject({ code: "22023" });
});

it("tells rows at most and the oldest, without a scan", async () => {
  await insert(database.client, 3);
  const { rows } = await database.client.query("SELECT rows::int, oldest_at FROM rowcast.outbox_size()");
  const { rows: counted } = await database.client.query(
    "SELECT count(*)::int AS rows, min(at) AS oldest_at FROM rowcast.changes",
  );
  expect(rows).toEqual(counted);
  await database.client.query("DELETE FROM rowcast.changes");
  const { rows: empty } = await database.client.query(
    "SELECT rows::int, oldest_at FROM rowcast.outbox_size()",
  );
  expect(empty).toEqual([{ rows: 0, oldest_at: null }]);
});
