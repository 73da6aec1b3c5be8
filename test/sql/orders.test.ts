/** The orders table by itself, and the migrations as files. */
import { readdir, readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { SQL_DIR } from "../../dev/migrate.ts";
import { failure, Outbox } from "./outbox.ts";

let outbox: Outbox;

beforeAll(async () => {
  outbox = await Outbox.open();
});
afterAll(() => outbox.database.drop());

it("updated_at grows strictly, within one transaction and when the clock stands behind it too", async () => {
  await outbox.sql(`INSERT INTO orders (id, customer_name, product_name, updated_at)
    VALUES (1, 'a', 'b', now()), (2, 'a', 'b', '2999-01-01Z')`);
  for (const id of [1, 2]) {
    const stamps: string[] = [];
    await outbox.sql(`BEGIN`);
    for (let i = 0; i < 20; i += 1) {
      const [row] = await outbox.sql<{ at: string }>(
        `UPDATE orders SET amount = ${i} WHERE id = ${id} RETURNING to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') AS at`,
      );
      stamps.push(row?.at ?? "");
    }
    await outbox.sql(`COMMIT`);
    expect(new Set(stamps).size).toBe(20);
    expect(stamps.toSorted()).toEqual(stamps);
  }
});

it.each([
  ["an empty customer_name", `(' ', 'b', 'pending', 1)`, "orders_customer_name_check"],
  ["an empty product_name", `('a', '', 'pending', 1)`, "orders_product_name_check"],
  ["an unknown status", `('a', 'b', 'lost', 1)`, "orders_status_check"],
  ["a negative amount", `('a', 'b', 'pending', -0.01)`, "orders_amount_check"],
])("%s is refused", async (_, values, constraint) => {
  const insert = `INSERT INTO orders (customer_name, product_name, status, amount) VALUES ${values}`;
  expect((await failure(outbox.sql(insert))).message).toContain(constraint);
});

it("a product_name of 200 KB is stored and told", async () => {
  await outbox.next();
  await outbox.sql(`INSERT INTO orders (customer_name, product_name) VALUES ('a', repeat('p', 200000))`);
  const [change] = await outbox.next();
  expect(change?.data).toMatchObject({ status: "pending", amount: null });
  expect(String(change?.data?.["product_name"])).toHaveLength(200_000);
});

it("every file of sql/ can be run again, and changes nothing", async () => {
  const definitions = `SELECT tgrelid::regclass, tgname, pg_get_triggerdef(oid) AS def, oid FROM pg_trigger ORDER BY oid`;
  const before = await outbox.sql(definitions);
  const files = (await readdir(SQL_DIR)).filter((name) => name.endsWith(".sql")).toSorted();
  for (const name of files) await outbox.sql(await readFile(`${SQL_DIR}/${name}`, "utf8"));
  expect(await outbox.sql(definitions)).toEqual(before);
});
