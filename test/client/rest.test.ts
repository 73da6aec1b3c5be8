/** The typed client, and the rows that it feeds, against the whole. */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createCollection } from "@tanstack/db";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { rowcastCollectionOptions } from "../../client/adapters/tanstack-db.ts";
import { createClient, liveCollection, WriteRefused, type Client } from "../../client/index.ts";
import { createApi, ordersWrites, type Api } from "../../client/rest.ts";
import { PROJECT_DIR } from "../../dev/config.ts";
import type { Order } from "../../protocol/orders.ts";
import { startStack, type Stack } from "../support/stack.ts";
import { until } from "./adapters-source.ts";

let stack: Stack;
let client: Client;
let api: Api;
beforeAll(async () => {
  stack = await startStack();
  client = createClient({ url: stack.url });
  api = createApi(stack.url);
  await until(client.state, () => client.state.get().name === "live");
});
afterAll(async () => {
  client?.close();
  await stack?.stop();
});

const inDatabase = async (customer: string): Promise<unknown[]> => {
  const { rows } = await stack.database.client.query(
    "select customer_name, product_name, status from orders where customer_name = $1",
    [customer],
  );
  return rows;
};

test("paths, parameters and answers are typed by the routes of the Worker", async () => {
  const created = await api.api.orders.$post({ json: { customer_name: "Ada", product_name: "Loom" } });
  expect(created.status).toBe(201);
  const { data, xid } = await created.json();
  await client.seen(xid);
  const name: string = data.customer_name;
  expect(name).toBe("Ada");

  const listed = await api.api.orders.$get({ query: { status: ["pending", "shipped"], limit: "1" } });
  const { data: rows, pagination } = await listed.json();
  expect(rows.map(({ id }) => id)).toEqual([data.id]);
  expect(pagination.has_more).toBe(rows.length < (pagination.total ?? 0));

  const { status } = await (await api.health.$get()).json();
  expect(status).toBe("ok");

  // @ts-expect-error a field that no order has
  const refused = await api.api.orders.$post({ json: { customer: "Ada", product_name: "Loom" } });
  expect(refused.ok).toBe(false);
  // @ts-expect-error an address that the Worker does not have
  expect((await api.api.invoices.$get()).status).toBe(404);
});

test("a token goes with each request, a function is asked each time", async () => {
  const sent: (string | null)[] = [];
  let count = 0;
  const withToken = createApi(stack.url, {
    token: () => `token-${++count}`,
    fetch: (input, init) => {
      sent.push(new Headers(init?.headers).get("authorization"));
      return fetch(input, { ...init, headers: {} });
    },
  });
  await withToken.health.$get();
  await withToken.api.orders.stats.$get();
  expect(sent).toEqual(["Bearer token-1", "Bearer token-2"]);
});

describe("a live collection of orders", () => {
  test("has every row, page after page, and writes through the API", async () => {
    await stack.database.client.query(
      "insert into orders (customer_name, product_name) select 'Page', 'p' || n from generate_series(1, 25) n",
    );
    const orders = liveCollection({ client, ...ordersWrites(api, { pageSize: 10 }) });
    await until(orders.state, () => orders.state.get() === "ready");
    const { rows } = await stack.database.client.query("select count(*)::int as n from orders");
    expect([{ n: orders.rows.get().size }]).toEqual(rows);

    const created = orders.create({ customer_name: "Bea", product_name: "Mill", amount: 9.5 });
    expect(orders.row(created.key).get()).toMatchObject({ customer_name: "Bea", status: "pending" });
    const { id = 0 } = (await created.done) ?? {};
    await orders.update(id, { status: "shipped" }).done;
    await until(orders.pending, () => orders.pending.get().length === 0);
    expect(orders.row(id).get()).toMatchObject({ customer_name: "Bea", status: "shipped", amount: 9.5 });
    expect(await inDatabase("Bea")).toEqual([
      { customer_name: "Bea", product_name: "Mill", status: "shipped" },
    ]);
    await orders.remove(id).done;
    await until(orders.pending, () => orders.pending.get().length === 0);
    expect(orders.row(id).get()).toBeUndefined();
    expect(await inDatabase("Bea")).toEqual([]);
    orders.close();
  });

  test("says which field the server has refused", async () => {
    const orders = liveCollection({ client, ...ordersWrites(api) });
    await until(orders.state, () => orders.state.get() === "ready");
    const error = await orders
      .create({ customer_name: " ", product_name: "Mill" })
      .done.catch((e: unknown) => e);
    expect(error).toBeInstanceOf(WriteRefused);
    expect(error).toMatchObject({ status: 422, issues: [{ field: "customer_name" }] });
    expect([...orders.rows.get().values()].filter(({ customer_name }) => customer_name === " ")).toEqual([]);
    orders.close();
  });

  test("of some statuses has those rows only", async () => {
    const orders = liveCollection({ client, ...ordersWrites(api, { statuses: ["cancelled"] }) });
    await until(orders.state, () => orders.state.get() === "ready");
    expect(orders.rows.get().size).toBe(0);
    const came = until(orders.rows, () => orders.rows.get().size === 1);
    await stack.database.client.query(
      "insert into orders (customer_name, product_name, status) values ('Cy', 'a', 'cancelled'), ('Cy', 'b', 'pending')",
    );
    await came;
    expect([...orders.rows.get().values()]).toMatchObject([{ customer_name: "Cy", product_name: "a" }]);
    orders.close();
  });
});

describe("a collection of TanStack DB", () => {
  async function open() {
    const orders = createCollection(rowcastCollectionOptions<Order>({ client, ...ordersWrites(api) }));
    await orders.preload();
    const of = (customer: string) => orders.toArray.filter(({ customer_name }) => customer_name === customer);
    return { orders, of };
  }
  const draft = (customer_name: string): Order => ({
    id: -1,
    customer_name,
    product_name: "Kiln",
    status: "pending",
    amount: null,
    created_at: "",
    updated_at: "",
  });

  test("a row that is inserted appears at once, is confirmed, changed and deleted", async () => {
    const { orders, of } = await open();
    const inserted = orders.insert(draft("Dot"));
    expect(of("Dot")).toMatchObject([{ id: -1 }]);
    await inserted.when("settled");
    const [row, ...others] = of("Dot");
    expect(others).toEqual([]);
    const { id = 0 } = row ?? {};
    expect(id).toBeGreaterThan(0);
    expect(await inDatabase("Dot")).toHaveLength(1);

    const updated = orders.update(id, (order) => {
      order.status = "delivered";
    });
    expect(orders.get(id)?.status).toBe("delivered");
    await updated.when("settled");
    expect(orders.get(id)?.status).toBe("delivered");
    expect(await inDatabase("Dot")).toMatchObject([{ status: "delivered" }]);

    await orders.delete(id).when("settled");
    expect(of("Dot")).toEqual([]);
    expect(await inDatabase("Dot")).toEqual([]);
    await orders.cleanup();
  });

  test("one that the server refuses is rolled back, with the reason", async () => {
    const { orders, of } = await open();
    const inserted = orders.insert({ ...draft("Eve"), product_name: "" });
    expect(of("Eve")).toHaveLength(1);
    const error: unknown = await inserted.when("settled").catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(WriteRefused);
    expect(error).toMatchObject({ status: 422, issues: [{ field: "product_name" }] });
    expect(of("Eve")).toEqual([]);
    await orders.cleanup();
  });
});

test("the program of the README does what it says", async () => {
  const readme = await readFile(join(PROJECT_DIR, "README.md"), "utf8");
  const [, program = ""] = /^```ts\n(.*?)^```$/ms.exec(readme) ?? [];
  await mkdir(join(PROJECT_DIR, ".wrangler"), { recursive: true });
  // Within the project, where imports are found.
  const folder = await mkdtemp(join(PROJECT_DIR, ".wrangler", "readme-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "readme.ts");
  await writeFile(
    file,
    program.replaceAll("./client/", "../../client/").replace("http://localhost:8787", stack.url),
  );

  const child = spawn(process.execPath, [file]);
  onTestFinished(() => void child.kill("SIGKILL"));
  let shown = "";
  const output = {
    subscribe: (look: () => void) => {
      const take = (chunk: Buffer): void => {
        shown += chunk.toString();
        look();
      };
      child.stdout.on("data", take);
      child.stderr.on("data", take);
      return () => child.stdout.off("data", take);
    },
  };
  await until(output, () => /^live$/m.test(shown) && /^\d+$/m.test(shown) && shown.includes("'John Doe'"));
  expect(await inDatabase("John Doe")).toEqual([
    { customer_name: "John Doe", product_name: "Laptop", status: "pending" },
  ]);
});
