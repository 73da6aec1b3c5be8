import { expect, it, vi } from "vitest";
import { describeOverAdapters, laptop } from "./adapters.ts";
import { orderIn, ordersIn } from "./api.ts";

const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?\+00:00$/;

describeOverAdapters("The orders API", (stage) => {
  it("creates an order, and says where it is, its version and its transaction", async () => {
    const { api, database } = stage();
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
    const { create } = stage();
    const order = await create({ customer_name: "A", product_name: "B" });
    expect(order).toMatchObject({ status: "pending", amount: null });
  });

  it("keeps names as they were given", async () => {
    const { api, create } = stage();
    const names = { customer_name: ` O'Brien "x" \\ %_ 👩‍💻 `, product_name: "é\n\t\u0001{}," };
    expect(await create(names)).toMatchObject(names);
    expect(ordersIn(await api.get("/orders"))[0]).toMatchObject(names);
    const longest = "👍".repeat(255);
    expect(await create({ ...names, product_name: longest })).toMatchObject({ product_name: longest });
  });

  it("shows an order exactly as the stream does", async () => {
    const { api, database, create } = stage();
    const { id } = await create({ ...laptop, amount: 10.5 });
    const { rows } = await database.client.query<{ row: string }>(
      "SELECT rowcast.row_json(o)::text AS row FROM public.orders o",
    );
    const row: unknown = JSON.parse(rows[0]?.row ?? "");
    expect((await api.get(`/api/orders/${id}`)).body.data).toEqual(row);
    expect((await api.get("/api/orders")).body.data).toEqual([row]);
  });

  it("reads an order with the snapshot it was seen in", async () => {
    const { api, database, create } = stage();
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
    const { api, create } = stage();
    await create();
    const tag = (await api.get("/api/orders/1")).headers.get("ETag") ?? "";
    const unchanged = await api.get("/api/orders/1", { "If-None-Match": `"other", W/${tag}` });
    expect(unchanged).toMatchObject({ status: 304, body: "" });
    expect(unchanged.headers.get("ETag")).toBe(tag);
    await api.send("PUT", "/api/orders/1", { status: "shipped" });
    expect((await api.get("/api/orders/1", { "If-None-Match": tag })).status).toBe(200);
  });

  it.each(["PUT", "PATCH"])("%s changes any subset of the fields and nothing else", async (method) => {
    const { api, create } = stage();
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
    const { api, create } = stage();
    const order = await create();
    const answer = await api.send("DELETE", "/api/orders/1", { status: "shipped" });
    expect(answer).toMatchObject({ status: 200, body: { success: true, data: order } });
    expect(answer.body).toMatchObject({ message: "Order 1 deleted", xid: expect.stringMatching(/^\d+$/) });
    expect((await api.get("/api/orders/1")).status).toBe(404);
    await create();
    expect((await api.send("DELETE", "/api/orders/2", "{broken")).status).toBe(200);
  });

  it.each(["GET", "PUT", "DELETE"])("%s of an order that is not there is a 404", async (method) => {
    const { api } = stage();
    for (const headers of [{}, { "If-Match": '"2026-11-20T23:00:00+00:00"' }]) {
      const body = method === "PUT" ? { status: "shipped" } : undefined;
      const answer = await api.send(method, "/api/orders/2147483647", body, headers);
      expect(answer.body).toMatchObject({ success: false, code: "not_found", issues: [{ field: "id" }] });
    }
  });

  it("lists newest first, a page at a time, with the total", async () => {
    const { api, create } = stage();
    for (const name of ["a", "b", "c", "d", "e"]) await create({ ...laptop, customer_name: name });
    const page = async (query: string) => {
      const answer = await api.get(`/api/orders${query}`);
      expect(answer.status).toBe(200);
      expect(answer.body.count).toBe(ordersIn(answer).length);
      return { ids: ordersIn(answer).map(({ id }) => id), ...answer.body.pagination };
    };
    const all = { limit: 50, offset: 0, total: 5, has_more: false, next_before: null };
    expect(await page("")).toEqual({ ...all, ids: [5, 4, 3, 2, 1] });
    expect(await page("?limit=2")).toEqual({ ...all, ids: [5, 4], limit: 2, has_more: true });
    expect(await page("?limit=2&offset=3")).toMatchObject({ ids: [2, 1], offset: 3, has_more: false });
    expect(await page("?total=0&limit=2")).toMatchObject({ ids: [5, 4], total: null, has_more: true });
    expect(await page("?offset=2147483647&foo=bar")).toMatchObject({ ids: [], total: 5, has_more: false });
    expect((await api.get("/api/orders")).body.snapshot).toMatch(/^\d+:\d+:/);
  });

  it("lists by id, each page saying where the next begins, whatever is deleted and created meanwhile", async () => {
    const { api, create } = stage();
    for (const name of ["a", "b", "a", "b", "a"]) await create({ ...laptop, customer_name: name });
    const page = async (query: string) => {
      const answer = await api.get(`/api/orders?${query}`);
      const { total, has_more, next_before } = answer.body.pagination;
      expect(total).toBeNull();
      expect(has_more).toBe(next_before !== null);
      return { ids: ordersIn(answer).map(({ id }) => id), next: next_before };
    };
    expect(await page("before=2147483648&limit=2")).toEqual({ ids: [5, 4], next: 4 });
    await create();
    await api.send("DELETE", "/api/orders/4");
    expect(await page("before=4&limit=2")).toEqual({ ids: [3, 2], next: 2 });
    expect(await page("before=2&limit=2")).toEqual({ ids: [1], next: null });
    expect(await page("before=1")).toEqual({ ids: [], next: null });
    expect(await page("before=6&limit=5000&customer_name=a&status=pending,shipped")).toEqual({
      ids: [5, 3, 1],
      next: null,
    });
  });

  it("goes by id where id and time do not agree, and fills a page to its last row", async () => {
    const { api, database } = stage();
    await database.client.query(
      `INSERT INTO public.orders (customer_name, product_name, created_at)
       SELECT 'c', 'p', now() + make_interval(secs => (n * 7) % 10) FROM generate_series(1, 10) n`,
    );
    const seen: number[] = [];
    for (let before: number | null = 2_147_483_648; before !== null;) {
      const answer = await api.get(`/api/orders?before=${before}&limit=5`);
      seen.push(...ordersIn(answer).map(({ id }) => id));
      before = answer.body.pagination.next_before;
    }
    expect(seen).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
  });

  it("reads a page of 5,000 among 100,000 orders along an index, and counts none", async () => {
    const { api, database } = stage();
    await database.client.query("ALTER TABLE public.orders DISABLE TRIGGER USER");
    await database.client.query(
      "INSERT INTO public.orders (customer_name, product_name) SELECT 'c', 'p' FROM generate_series(1, 100000)",
    );
    await database.client.query("ALTER TABLE public.orders ENABLE TRIGGER USER");
    await database.client.query("ANALYZE public.orders");
    const read = async () => {
      const { rows } = await database.client.query<{ scanned: number; fetched: number }>(
        `SELECT seq_tup_read::int AS scanned, idx_tup_fetch::int AS fetched FROM pg_stat_user_tables
          WHERE relname = 'orders'`,
      );
      return rows[0] ?? { scanned: -1, fetched: -1 };
    };
    const before = await read();
    const answer = await api.get("/api/orders?limit=5000&before=90001");
    expect(answer.body).toMatchObject({ count: 5000, pagination: { next_before: 85_001, total: null } });
    await api.settle();
    // The server's counters arrive a moment after the session that counted has ended.
    await expect.poll(async () => (await read()).fetched - before.fetched).toBeGreaterThanOrEqual(5001);
    const after = await read();
    expect(after.fetched + after.scanned - before.fetched - before.scanned).toBeLessThan(10_000);
  });

  it("says when it looked, by the database's clock, as the stream says when a change was made", async () => {
    const { api, database } = stage();
    const clock = async () => {
      const { rows } = await database.client.query<{ now: string }>(
        `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS now`,
      );
      return rows[0]?.now ?? "";
    };
    const earlier = await clock();
    const { timestamp } = (await api.get("/api/orders?before=5")).body;
    expect(timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect([earlier, timestamp, await clock()].toSorted()[1]).toBe(timestamp);
  });

  it("lists by status and by a part of the customer's name", async () => {
    const { api, create } = stage();
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
    const { api, create } = stage();
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
    const { api, create } = stage();
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

  it("answers HEAD and OPTIONS", async () => {
    const { api, create } = stage();
    await create();
    const head = await api.send("HEAD", "/api/orders/1");
    expect(head).toMatchObject({ status: 200, body: "" });
    const options = await api.send("OPTIONS", "/api/orders/1");
    expect(options.status).toBe(204);
    expect(options.headers.get("Allow")).toBe("GET, PUT, PATCH, DELETE, HEAD, OPTIONS");
  });

  it("leaves no connection open behind it", async () => {
    const { api, database, create } = stage();
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

  it("calls the hook after each write that was made, and after nothing else", async () => {
    const { api, afterWrite } = stage();
    const headers = { "Idempotency-Key": "once" };
    await api.send("POST", "/api/orders", laptop, headers);
    expect(afterWrite).toHaveBeenCalledTimes(1);
    await api.send("POST", "/api/orders", laptop, headers);
    await api.get("/api/orders");
    await api.send("PUT", "/api/orders/99", { amount: 1 });
    expect(afterWrite).toHaveBeenCalledTimes(1);
    await api.send("PATCH", "/api/orders/bulk-status", { order_ids: [1], status: "shipped" });
    await api.send("PUT", "/api/orders/1", { amount: 1 });
    await api.send("DELETE", "/api/orders/1");
    expect(afterWrite).toHaveBeenCalledTimes(4);
  });

  it("answers a write that was made even when the hook fails", async () => {
    const { api, create, afterWrite } = stage();
    const log = vi.spyOn(console, "error").mockReturnValue();
    // Each time in other words: the same fault is told once a second.
    const reason = `the log is away ${crypto.randomUUID()}`;
    afterWrite.mockRejectedValue(new Error(reason));
    await create();
    await api.settle();
    expect(log).toHaveBeenCalledExactlyOnceWith(expect.stringContaining(reason));
    log.mockRestore();
  });
});
