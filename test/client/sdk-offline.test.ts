/** Live collections against the real thing, over a way that is cut: writes made meanwhile go in, once, and the rows are the table's. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { Order } from "../../protocol/orders.ts";
import { openLink, type Link } from "../faults/link.ts";
import { connect } from "../support/postgres.ts";
import { startStack, type Stack } from "../support/stack.ts";
import { openDesk, until, type Desk } from "./sdk-orders.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack?.stop());

const ROWS = 20;
const CHANGES = 50;

let link: Link;
let desk: Desk;
let ids: number[];
beforeEach(async () => {
  await sql("DELETE FROM orders");
  const rows = await sql(
    "INSERT INTO orders (customer_name, product_name) SELECT 'Customer ' || i, 'Book' FROM generate_series(1, $1) i RETURNING id",
    [ROWS],
  );
  ids = rows.map(({ id }) => Number(id)).toSorted((a, b) => a - b);
  link = await openLink(Number(new URL(stack.url).port));
  desk = openDesk(`http://127.0.0.1:${link.port}`);
  await until(desk.orders.state, (state) => state === "ready");
  await until(desk.client.state, ({ name }) => name === "live");
});
afterEach(() => {
  desk.close();
  link.close();
});

async function sql(text: string, values: unknown[] = []) {
  return (await stack.database.client.query<Record<string, unknown>>(text, values)).rows;
}
const id = (index: number): number => ids[index] ?? Number.NaN;

async function cut(): Promise<void> {
  link.refuse();
  link.cut();
  await until(desk.client.state, ({ name }) => name !== "live");
}

/** All written, and all that others wrote has come: the last of it is `mark`. */
async function caughtUp(mark: number): Promise<void> {
  await until(desk.orders.pending, (writes) => writes.length === 0);
  await until(desk.orders.row(mark), (order) => order !== undefined);
}

async function table(): Promise<Order[]> {
  const response = await fetch(`${stack.url}/api/orders?limit=1000`);
  return ((await response.json()) as { data: Order[] }).data.toSorted((a, b) => a.id - b.id);
}
const shown = (): Order[] => [...desk.orders.rows.get().values()].toSorted((a, b) => a.id - b.id);

it("lives through a cut in which others make 50 changes and the user edits two orders, one of them twice, and creates one", async () => {
  const { orders } = desk;
  const [mine, shared, gone] = [id(2), id(5), id(0)];
  const query = orders.query({ where: ({ status }) => status === "shipped" });
  const told: number[][] = [];
  query.subscribe((rows) => told.push(rows.map((order) => order.id)));
  await cut();

  orders.update(mine, { status: "shipped" });
  orders.update(shared, { customer_name: "Edited offline" });
  const made = orders.create({ customer_name: "Made offline", product_name: "Tent", amount: 7 });
  orders.update(made.key, { status: "shipped" });
  const last = orders.update(mine, { product_name: "Map" });
  expect(orders.pending.get().map(({ kind }) => kind)).toEqual([
    "update",
    "update",
    "create",
    "update",
    "update",
  ]);
  expect(query.get().map(({ customer_name: name }) => name)).toEqual(["Made offline", "Customer 3"]);

  for (let n = 0; n < CHANGES - 3; n += 1) {
    if (n % 2 === 0)
      await sql("INSERT INTO orders (customer_name, product_name) VALUES ($1, 'Lamp')", [`Other ${n}`]);
    else await sql("UPDATE orders SET amount = $1 WHERE id = $2", [n, id(n % 4 === 1 ? 8 : 19)]);
  }
  await sql("UPDATE orders SET product_name = 'Changed by others' WHERE id = $1", [shared]);
  await sql("DELETE FROM orders WHERE id = $1", [gone]);
  const [mark] = await sql(
    "INSERT INTO orders (customer_name, product_name) VALUES ('The last', 'Lamp') RETURNING id",
  );
  expect(orders.rows.get().has(gone)).toBe(true); // no news

  link.heal();
  await caughtUp(Number(mark?.["id"]));
  const created = await made.done;
  expect(await last.done).toMatchObject({ id: mine, status: "shipped", product_name: "Map" });
  expect(shown()).toEqual(await table());
  expect(orders.rows.get().has(gone)).toBe(false);
  expect(orders.rows.get().get(shared)).toMatchObject({
    customer_name: "Edited offline",
    product_name: "Changed by others",
  });
  expect(orders.rows.get().get(created?.id ?? 0)).toMatchObject({ product_name: "Tent", status: "shipped" });
  expect(query.get().map((order) => order.id)).toEqual([mine, created?.id]);
  // whoever follows the query has seen one such order all along, never two
  for (const rows of told)
    expect(rows.filter((its) => its < 0 || its === created?.id).length).toBeLessThan(2);
  // nothing twice: what was carried out, as the outbox has it
  const carried = await sql(
    `SELECT operation, count(*)::int AS n FROM rowcast.changes
      WHERE (key->>'id')::int = ANY ($1) GROUP BY operation ORDER BY operation`,
    [[mine, created?.id]],
  );
  expect(carried).toEqual([
    { operation: "INSERT", n: 2 },
    { operation: "UPDATE", n: 3 },
  ]);
});

it("creates an order once though the answer was lost, and shows it once all along", async () => {
  const { orders, client } = desk;
  const query = orders.query({ where: ({ customer_name: name }) => name === "Lost answer" });
  const counts: number[] = [];
  query.subscribe((rows) => counts.push(rows.length));
  const locker = await connect(stack.database.url);
  await locker.query("BEGIN; LOCK TABLE orders IN SHARE MODE"); // the order waits in the database
  const made = orders.create({ customer_name: "Lost answer", product_name: "Tent" });
  await expect
    .poll(() =>
      sql("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ILIKE '%insert%'"),
    )
    .toHaveLength(1);
  link.freeze(); // the Worker is not told, or it might give the order up
  await locker.query("COMMIT");
  await locker.end();
  await expect.poll(() => sql("SELECT 1 FROM orders WHERE customer_name = 'Lost answer'")).toHaveLength(1);
  expect(made.key).toBeLessThan(0);
  await cut(); // and with it goes the answer
  link.heal();
  client.reconnect();
  const created = await made.done;
  await until(orders.pending, (writes) => writes.length === 0);
  expect(await sql("SELECT id FROM orders WHERE customer_name = 'Lost answer'")).toEqual([
    { id: created?.id },
  ]);
  expect(query.get()).toHaveLength(1);
  expect(Math.max(...counts)).toBe(1);
  expect(shown()).toEqual(await table());
});

it("takes back what the server refuses, with the reason, and knows how long a change was under way", async () => {
  const { orders, client } = desk;
  const refused = new Promise<string>((resolve) => orders.on("refused", ({ error }) => resolve(error.code)));
  const before = orders.rows.get().get(id(1));
  const write = orders.update(id(1), { status: "lost in space" as never });
  expect(orders.rows.get().get(id(1))?.status).toBe("lost in space");
  await expect(write.done).rejects.toMatchObject({ status: expect.any(Number) as number });
  expect(await refused).toMatch(/./);
  expect(orders.rows.get().get(id(1))).toEqual(before);
  await sql("UPDATE orders SET status = 'completed' WHERE id = $1", [id(1)]);
  await until(orders.row(id(1)), (order) => order?.status === "completed");
  expect(client.latency.get()).toBeLessThan(10_000);
});
