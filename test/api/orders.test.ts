import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { startNeonEndpoint, type NeonEndpoint } from "../support/neon-endpoint.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";
import { openApi, orderIn, ordersIn, type Api } from "./api.ts";

let database: TestDatabase;
let endpoint: NeonEndpoint;
beforeAll(async () => {
  database = await createDatabase();
  endpoint = await startNeonEndpoint();
});
afterAll(async () => {
  await endpoint.close();
  await database.drop();
});

const writes = vi.fn<() => Promise<void>>();

const adapters: Record<string, () => Api> = {
  "pg over TCP": () => openApi({ DATABASE_URL: database.url }, writes),
  "pg through Hyperdrive": () =>
    openApi({ HYPERDRIVE: { connectionString: database.url } as unknown as Hyperdrive }, writes),
  "Neon over HTTP": () => openApi({ DATABASE_URL: database.url, NEON_FETCH_ENDPOINT: endpoint.url }, writes),
};

describe.each(Object.keys(adapters))("The orders API over %s", (adapter) => {
  let api: Api;
  beforeEach(async () => {
    await database.client.query("TRUNCATE public.orders RESTART IDENTITY");
    writes.mockReset().mockResolvedValue();
    await database.client.query("TRUNCATE rowcast.idempotency_keys");
    api = adapters[adapter]?.() ?? expect.fail("unknown adapter");
    return () => api.settle();
  });

  const laptop = { customer_name: "John Doe", product_name: "Laptop", status: "pending" };
  const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?\+00:00$/;

  async function create(order: object = laptop) {
    const answer = await api.send("POST", "/api/orders", order);
    expect(answer.status).toBe(201);
    return orderIn(answer);
  }

  it("creates an order, and says where it is, its version and its transaction", async () => {
    const answer = await api.send("POST", "/api/orders", { ...laptop, amount: 1299.9 });
    expect(answer.status).toBe(201);
    const order = orderIn(answer);
    expect(answer.body).toEqual({
      success: true,
      data: { ...laptop, id: 1, amount: 1299.9, created_at: order.created_at, updated_at: order.updated_at },
      message: "Order 1 created",
      xid: expect.stringMatching(/^\d+$/),
    });
    expect(order.created_at).toMatch(timestamp);
    expect(answer.headers.get("Location")).toBe("/api/orders/1");
    expect(answer.headers.get("ETag")).toBe(`"${order.updated_at}"`);
    const { rows } = await database.client.query("SELECT xmin::text FROM public.orders WHERE id = 1");
    expect(rows).toEqual([{ xmin: answer.body.xid }]);
  });

  it("makes an order pending and without an amount unless told otherwise", async () => {
    const order = await create({ customer_name: "A", product_name: "B" });
    expect(order).toMatchObject({ status: "pending", amount: null });
  });

  it("keeps names as they were given", async () => {
    const names = { customer_name: ` O'Brien "x" \\ %_ 👩‍💻 `, product_name: "é\n\t\u0001{}," };
    expect(await create(names)).toMatchObject(names);
    expect(ordersIn(await api.get("/orders"))[0]).toMatchObject(names);
    const longest = "👍".repeat(255);
    expect(await create({ ...names, product_name: longest })).toMatchObject({ product_name: longest });
  });

  it("shows an order exactly as the stream does", async () => {
    const { id } = await create({ ...laptop, amount: 10.5 });
    const { rows } = await database.client.query<{ row: string }>(
      "SELECT rowcast.row_json(o)::text AS row FROM public.orders o",
    );
    const row: unknown = JSON.parse(rows[0]?.row ?? "");
    expect((await api.get(`/api/orders/${id}`)).body.data).toEqual(row);
    expect((await api.get("/api/orders")).body.data).toEqual([row]);
  });

  it("reads an order with the snapshot it was seen in", async () => {
    const order = await create();
    const answer = await api.get("/orders/1");
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      success: true,
      data: order,
      snapshot: expect.stringMatching(/^\d+:\d+:[\d,]*$/),
    });
    const { rows } = await database.client.query(
      "SELECT pg_visible_in_snapshot(xmin::text::xid8, $1::pg_snapshot) AS visible FROM public.orders",
      [answer.body.snapshot],
    );
    expect(rows).toEqual([{ visible: true }]);
  });

  it("answers 304 to whoever has the order's version already", async () => {
    await create();
    const tag = (await api.get("/api/orders/1")).headers.get("ETag") ?? "";
    const unchanged = await api.get("/api/orders/1", { "If-None-Match": `"other", W/${tag}` });
    expect(unchanged).toMatchObject({ status: 304, body: "" });
    expect(unchanged.headers.get("ETag")).toBe(tag);
    await api.send("PUT", "/api/orders/1", { status: "shipped" });
    expect((await api.get("/api/orders/1", { "If-None-Match": tag })).status).toBe(200);
  });

  it.each(["PUT", "PATCH"])("%s changes any subset of the fields and nothing else", async (method) => {
    const before = await create({ ...laptop, amount: 5 });
    const answer = await api.send(method, "/orders/1", { status: "shipped" });
    expect(answer.status).toBe(200);
    const { updated_at } = orderIn(answer);
    expect(answer.body).toEqual({
      success: true,
      data: { ...before, status: "shipped", updated_at },
      message: "Order 1 updated",
      xid: expect.stringMatching(/^\d+$/),
    });
    expect(updated_at > before.updated_at).toBe(true);
    expect(answer.headers.get("ETag")).toBe(`"${updated_at}"`);
    const all = { customer_name: "C", product_name: "P", status: "cancelled", amount: null };
    expect(orderIn(await api.send(method, "/orders/1", all))).toMatchObject(all);
  });

  it("deletes an order whatever the body, and shows it a last time", async () => {
    const order = await create();
    const answer = await api.send("DELETE", "/api/orders/1", { status: "shipped" });
    expect(answer).toMatchObject({ status: 200, body: { success: true, data: order } });
    expect(answer.body).toMatchObject({ message: "Order 1 deleted", xid: expect.stringMatching(/^\d+$/) });
    expect((await api.get("/api/orders/1")).status).toBe(404);
    await create();
    expect((await api.send("DELETE", "/api/orders/2", "{broken")).status).toBe(200);
  });

  it.each(["GET", "PUT", "DELETE"])("%s of an order that is not there is a 404", async (method) => {
    for (const headers of [{}, { "If-Match": '"2026-11-20T23:00:00+00:00"' }]) {
      const body = method === "PUT" ? { status: "shipped" } : undefined;
      const answer = await api.send(method, "/api/orders/2147483647", body, headers);
      expect(answer.body).toMatchObject({ success: false, code: "not_found", issues: [{ field: "id" }] });
    }
  });

  it("writes only the version that If-Match names", async () => {
    const first = await create();
    const tag = `"${first.updated_at}"`;
    const changed = await api.send("PUT", "/orders/1", { amount: 1 }, { "If-Match": `"other", ${tag}` });
    expect(changed.status).toBe(200);
    for (const stale of [tag, `W/${tag}`, '"other"', '"2026-02-30T00:00:00+00:00"']) {
      for (const [method, body] of [["PUT", { amount: 2 }], ["PATCH", { amount: 2 }], ["DELETE"]] as const) {
        const answer = await api.send(method, "/orders/1", body, { "If-Match": stale });
        expect(answer).toMatchObject({ status: 412, body: { code: "precondition_failed" } });
      }
    }
    expect(orderIn(await api.get("/orders/1")).amount).toBe(1);
    const present = changed.headers.get("ETag") ?? "";
    expect((await api.send("PATCH", "/orders/1", { amount: 3 }, { "If-Match": "*" })).status).toBe(200);
    expect((await api.send("DELETE", "/orders/1", undefined, { "If-Match": present })).status).toBe(412);
  });

  it("lets one of many writers of the same version through", async () => {
    const { updated_at } = await create();
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, amount) =>
        api.send("PUT", "/orders/1", { amount }, { "If-Match": `"${updated_at}"` }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(7);
  });

  it("decides a precondition on the row as it is once a writer in between has committed", async () => {
    const { updated_at } = await create();
    await database.client.query("BEGIN");
    await database.client.query("UPDATE public.orders SET amount = 7");
    const late = api.send("PUT", "/orders/1", { amount: 8 }, { "If-Match": `"${updated_at}"` });
    await blockedWriter(database);
    await database.client.query("COMMIT");
    expect((await late).status).toBe(412);
  });

  it("creates one order for one idempotency key", async () => {
    const headers = { "Idempotency-Key": "a key, 1" };
    const first = await api.send("POST", "/api/orders", laptop, headers);
    await api.send("PUT", "/api/orders/1", { status: "shipped" });
    const again = await api.send("POST", "/api/orders", { ...laptop, amount: null }, headers);
    expect(again).toMatchObject({ status: 201, body: first.body });
    expect(first.headers.get("Idempotency-Replayed")).toBeNull();
    expect(again.headers.get("Idempotency-Replayed")).toBe("true");
    expect(again.headers.get("Location")).toBe("/api/orders/1");
    const other = await api.send("POST", "/api/orders", { ...laptop, amount: 1 }, headers);
    expect(other).toMatchObject({ status: 422, body: { code: "idempotency_key_reused" } });
    expect((await api.get("/api/orders")).body.count).toBe(1);
  });

  it("creates one order when the same key comes many times at once", async () => {
    const headers = { "Idempotency-Key": "x".repeat(255) };
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => api.send("POST", "/api/orders", laptop, headers)),
    );
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.xid}`)).size).toBe(1);
    expect(new Set(answers.map((answer) => orderIn(answer).id)).size).toBe(1);
    const replays = answers.filter(({ headers }) => headers.get("Idempotency-Replayed") === "true");
    expect(replays).toHaveLength(9);
    expect((await api.get("/api/orders")).body.count).toBe(1);
  });

  it("lists newest first, a page at a time, with the total", async () => {
    for (const name of ["a", "b", "c", "d", "e"]) await create({ ...laptop, customer_name: name });
    const page = async (query: string) => {
      const answer = await api.get(`/api/orders${query}`);
      expect(answer.status).toBe(200);
      expect(answer.body.count).toBe(ordersIn(answer).length);
      return { ids: ordersIn(answer).map(({ id }) => id), ...answer.body.pagination };
    };
    expect(await page("")).toEqual({ ids: [5, 4, 3, 2, 1], limit: 50, offset: 0, total: 5, has_more: false });
    expect(await page("?limit=2")).toEqual({ ids: [5, 4], limit: 2, offset: 0, total: 5, has_more: true });
    expect(await page("?limit=2&offset=3")).toMatchObject({ ids: [2, 1], offset: 3, has_more: false });
    expect(await page("?offset=2147483647&foo=bar")).toMatchObject({ ids: [], total: 5, has_more: false });
    expect((await api.get("/api/orders")).body.snapshot).toMatch(/^\d+:\d+:/);
  });

  it("lists by status and by a part of the customer's name", async () => {
    for (const [name, status] of [
      ["Ann 100%", "pending"],
      ["ANNA_B", "shipped"],
      ["Bob\\x", "pending"],
      ["Bob", "delivered"],
    ]) {
      await create({ customer_name: name, product_name: "P", status });
    }
    const ids = async (query: Record<string, string>) =>
      ordersIn(await api.get(`/api/orders?${new URLSearchParams(query).toString()}`)).map(({ id }) => id);
    expect(await ids({ status: "pending", limit: "10" })).toEqual([3, 1]);
    expect(await ids({ status: "shipped,delivered" })).toEqual([4, 2]);
    expect(ordersIn(await api.get("/orders?status=shipped&status=delivered"))).toHaveLength(2);
    expect(await ids({ customer_name: "ann" })).toEqual([2, 1]);
    expect(await ids({ customer_name: "%" })).toEqual([1]);
    expect(await ids({ customer_name: "_" })).toEqual([2]);
    expect(await ids({ customer_name: "\\" })).toEqual([3]);
    expect(await ids({ customer_name: "bob", status: "pending" })).toEqual([3]);
    expect(await ids({ customer_name: "'; drop table orders; --" })).toEqual([]);
  });

  it("counts orders by status", async () => {
    const empty = await api.get("/api/orders/stats");
    expect(empty.body.data).toMatchObject({ total_orders: 0, unique_customers: 0, last_updated: null });
    for (const status of [
      "pending",
      "pending",
      "processing",
      "shipped",
      "delivered",
      "completed",
      "cancelled",
    ])
      await create({ ...laptop, status });
    const last = await create({ ...laptop, customer_name: "Other" });
    expect(await api.get("/orders/stats")).toMatchObject({
      status: 200,
      body: {
        success: true,
        snapshot: expect.stringMatching(/^\d+:\d+:/),
        data: {
          total_orders: 8,
          pending_orders: 3,
          processing_orders: 1,
          shipped_orders: 1,
          delivered_orders: 1,
          completed_orders: 1,
          cancelled_orders: 1,
          unique_customers: 2,
          last_updated: last.updated_at,
        },
      },
    });
  });

  it("sets the status of many orders at once and names those that do not exist", async () => {
    for (let i = 0; i < 3; i += 1) await create();
    const body = { order_ids: [3, 99, 1, 50], status: "shipped" };
    const answer = await api.send("PATCH", "/api/orders/bulk-status", body);
    expect(answer).toMatchObject({
      status: 200,
      body: {
        success: true,
        count: 2,
        missing: [50, 99],
        message: "2 orders are now shipped",
        xid: expect.stringMatching(/^\d+$/),
      },
    });
    expect(ordersIn(answer).map(({ id, status }) => [id, status])).toEqual([
      [1, "shipped"],
      [3, "shipped"],
    ]);
    const none = await api.send("PATCH", "/orders/bulk-status", { order_ids: [98, 99], status: "shipped" });
    expect(none).toMatchObject({ status: 404, body: { issues: [{ field: "order_ids" }] } });
  });

  it("updates the same thousand orders from two sides without a deadlock", async () => {
    await database.client.query(
      "INSERT INTO public.orders (customer_name, product_name) SELECT 'c', 'p' FROM generate_series(1, 1000)",
    );
    const ids = Array.from({ length: 1000 }, (_, index) => index + 1);
    const answers = await Promise.all(
      [ids, ids.toReversed(), ids].map((order_ids) =>
        api.send("PATCH", "/api/orders/bulk-status", { order_ids, status: "completed" }),
      ),
    );
    expect(answers.map(({ status, body }) => [status, body.count])).toEqual([
      [200, 1000],
      [200, 1000],
      [200, 1000],
    ]);
  });

  it("calls the hook after each write that was made, and after nothing else", async () => {
    const headers = { "Idempotency-Key": "once" };
    await api.send("POST", "/api/orders", laptop, headers);
    expect(writes).toHaveBeenCalledTimes(1);
    await api.send("POST", "/api/orders", laptop, headers);
    await api.get("/api/orders");
    await api.send("PUT", "/api/orders/99", { amount: 1 });
    expect(writes).toHaveBeenCalledTimes(1);
    await api.send("PATCH", "/api/orders/bulk-status", { order_ids: [1], status: "shipped" });
    await api.send("PUT", "/api/orders/1", { amount: 1 });
    await api.send("DELETE", "/api/orders/1");
    expect(writes).toHaveBeenCalledTimes(4);
  });

  it("answers a write that was made even when the hook fails", async () => {
    const log = vi.spyOn(console, "error").mockReturnValue();
    writes.mockRejectedValue(new Error("the log is away"));
    await create();
    await api.settle();
    expect(log).toHaveBeenCalledExactlyOnceWith(expect.stringContaining("the log is away"));
    log.mockRestore();
  });

  it("answers HEAD and OPTIONS", async () => {
    await create();
    const head = await api.send("HEAD", "/api/orders/1");
    expect(head).toMatchObject({ status: 200, body: "" });
    const options = await api.send("OPTIONS", "/api/orders/1");
    expect(options.status).toBe(204);
    expect(options.headers.get("Allow")).toBe("GET, PUT, PATCH, DELETE, HEAD, OPTIONS");
  });

  it("leaves no connection open behind it", async () => {
    await create();
    await api.get("/api/orders");
    await api.settle();
    await expect
      .poll(async () => {
        const { rows } = await database.client.query(
          "SELECT count(*)::int AS open FROM pg_stat_activity WHERE datname = current_database()",
        );
        return rows;
      })
      .toEqual([{ open: 1 }]);
  });
});

/** Until some session waits for a lock. */
async function blockedWriter({ client }: TestDatabase): Promise<void> {
  await expect
    .poll(async () => (await client.query("SELECT FROM pg_locks WHERE NOT granted")).rowCount)
    .toBeGreaterThan(0);
}
