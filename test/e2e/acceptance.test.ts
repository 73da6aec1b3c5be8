/** What a newcomer types, as it stands, and what everybody who looks on sees of it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Change } from "../../protocol/change.ts";
import { scalarText } from "../../protocol/exact-json.ts";
import { fetchDescribed } from "../support/openapi.ts";
import { startStack, type Stack } from "../support/stack.ts";
import { watchAll, type Watcher } from "./watchers.ts";

let stack: Stack;
let watchers: Watcher[];
beforeAll(async () => {
  stack = await startStack();
  watchers = await watchAll(stack.url);
});
afterAll(async () => {
  for (const watcher of watchers ?? []) watcher.close();
  await stack?.stop();
});

const JSON_TYPE = { "Content-Type": "application/json" };

/** What `curl -X <method> <address> -H … -d <body>` sends. */
async function curl(method: string, path: string, body?: string) {
  const response = await fetchDescribed(`${stack.url}${path}`, {
    method,
    ...(body !== undefined && { body, headers: JSON_TYPE }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const psql = (text: string) => stack.database.client.query(text);

/** Does it, and waits until all have seen so many changes of it: these, and the same ones everywhere. */
async function seen(count: number, act: () => Promise<unknown>): Promise<unknown[]> {
  const before = watchers.map(({ changes }) => changes.length);
  await act();
  const shown = await Promise.all(
    watchers.map(async (watcher, index) => {
      const from = before[index] ?? 0;
      await watcher.until(() => watcher.changes.length >= from + count);
      return watcher.changes.slice(from);
    }),
  );
  const [first = [], ...others] = shown;
  for (const other of others) expect(other).toEqual(first);
  expect(first.length).toBe(count);
  return first.map(brief);
}

function brief({ table, operation, key, data }: Change): string {
  const values = [key?.["id"], data?.["customer_name"], data?.["status"]].map(scalarText);
  return [operation, table, ...values.filter((value) => value !== null)].join(" ");
}

describe("over HTTP", () => {
  beforeAll(async () => {
    await seen(1, () => psql("TRUNCATE orders RESTART IDENTITY"));
  });

  it("creates an order", async () => {
    const create = async () => {
      const { status, body } = await curl(
        "POST",
        "/api/orders",
        '{"customer_name":"John Doe","product_name":"Laptop","status":"pending"}',
      );
      expect(status).toBe(201);
      expect(body).toMatchObject({ success: true, data: { id: 1, product_name: "Laptop" } });
      expect(body["xid"]).toMatch(/^[0-9]+$/);
    };
    expect(await seen(1, create)).toEqual(["INSERT orders 1 John Doe pending"]);
  });

  it("creates one without a status as pending", async () => {
    const create = () => curl("POST", "/api/orders", '{"customer_name":"John Doe","product_name":"Laptop"}');
    expect(await seen(1, create)).toEqual(["INSERT orders 2 John Doe pending"]);
    expect(await seen(1, create)).toEqual(["INSERT orders 3 John Doe pending"]);
  });

  it("updates one, under either address", async () => {
    const update = async () => {
      const { status, body } = await curl("PUT", "/orders/1", '{"status":"shipped"}');
      expect({ status, body }).toMatchObject({ status: 200, body: { data: { id: 1, status: "shipped" } } });
    };
    expect(await seen(1, update)).toEqual(["UPDATE orders 1 John Doe shipped"]);
    expect(await seen(1, () => curl("PUT", "/api/orders/1", '{"status":"pending"}'))).toEqual([
      "UPDATE orders 1 John Doe pending",
    ]);
  });

  it("lists and counts them", async () => {
    const list = await curl("GET", "/api/orders?status=pending&limit=10");
    expect(list).toMatchObject({ status: 200, body: { success: true, count: 3 } });
    expect(list.body["data"]).toHaveLength(3);
    const stats = await curl("GET", "/api/orders/stats");
    expect(stats).toMatchObject({
      status: 200,
      body: { success: true, data: { total_orders: 3, pending_orders: 3, unique_customers: 1 } },
    });
  });

  it("sets the status of several", async () => {
    const update = () =>
      curl("PATCH", "/api/orders/bulk-status", '{"order_ids":[1,2,3],"status":"shipped"}').then(
        ({ status }) => expect(status).toBe(200),
      );
    const shown = await seen(3, update);
    expect(new Set(shown)).toEqual(new Set([1, 2, 3].map((id) => `UPDATE orders ${id} John Doe shipped`)));
  });

  it("deletes one, whatever body comes along", async () => {
    const remove = () =>
      curl("DELETE", "/orders/1", '{"status":"shipped"}').then(({ status }) => expect(status).toBe(200));
    expect(await seen(1, remove)).toEqual(["DELETE orders 1 John Doe shipped"]);
    expect(await curl("GET", "/orders/1")).toMatchObject({ status: 404, body: { code: "not_found" } });
  });
});

describe("in psql", () => {
  beforeAll(async () => {
    await seen(1, () => psql("TRUNCATE orders RESTART IDENTITY"));
  });

  it("inserts three at once", async () => {
    const insert = () =>
      psql(
        "INSERT INTO orders (customer_name, product_name, status) VALUES ('Jane Smith', 'Deluxe Package', 'processing'), ('Bob Wilson', 'Standard Plan', 'pending'), ('Alice Brown', 'Enterprise Suite', 'completed');",
      );
    expect(await seen(3, insert)).toEqual([
      "INSERT orders 1 Jane Smith processing",
      "INSERT orders 2 Bob Wilson pending",
      "INSERT orders 3 Alice Brown completed",
    ]);
  });

  it("updates one and deletes it", async () => {
    expect(await seen(1, () => psql("UPDATE orders SET status = 'completed' WHERE id = 1;"))).toEqual([
      "UPDATE orders 1 Jane Smith completed",
    ]);
    expect(await seen(1, () => psql("DELETE FROM orders WHERE id = 1;"))).toEqual([
      "DELETE orders 1 Jane Smith completed",
    ]);
  });

  it("inserts a product_name of 200 KB", async () => {
    const insert = () =>
      psql("INSERT INTO orders (customer_name, product_name) VALUES ('Big', repeat('x', 200 * 1024))");
    expect(await seen(1, insert)).toEqual(["INSERT orders 4 Big pending"]);
    const texts = watchers.map(({ changes }) => String(changes.at(-1)?.data?.["product_name"]).length);
    expect(texts).toEqual([204_800, 204_800, 204_800]);
  });

  it("makes a table, watches it, and writes to it", async () => {
    const write = async () => {
      await psql("CREATE TABLE invoices (id int PRIMARY KEY, status text)");
      await psql("SELECT rowcast.watch('invoices')");
      await psql("INSERT INTO invoices VALUES (7, 'paid')");
    };
    expect(await seen(1, write)).toEqual(["INSERT invoices 7 paid"]);
  });
});
