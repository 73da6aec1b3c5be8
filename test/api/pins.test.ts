/** What somebody may see and touch whose token is pinned to a customer. */
import { expect, it } from "vitest";
import type { Filter } from "../../protocol/filter.ts";
import { describeOverAdapters, laptop, type Stage } from "./adapters.ts";
import { orderIn, ordersIn } from "./api.ts";

const ADA = { ...laptop, customer_name: "Ada" };
const EVE = { ...laptop, customer_name: "Eve" };

describeOverAdapters("A pinned token", (stage) => {
  const pinnedTo = (pin: Filter) =>
    stage().as({ role: "write", subject: "ada", holder: "subject ada", pin, expiresAt: Date.now() + 60_000 });
  const ada = () => pinnedTo({ orders: { customer_name: ["Ada"] } });
  const create = async ({ create }: Stage) =>
    [await create(ADA), await create(EVE), await create(ADA)] as const;

  it("sees its own orders in the list, its count, and the statistics", async () => {
    await create(stage());
    const list = await ada().get("/api/orders");
    expect(ordersIn(list).map(({ customer_name }) => customer_name)).toEqual(["Ada", "Ada"]);
    expect(list.body.pagination.total).toBe(2);
    expect(ordersIn(await ada().get("/api/orders?customer_name=Eve"))).toEqual([]);
    const byId = await ada().get("/api/orders?before=2147483648&limit=1");
    expect(ordersIn(byId).map(({ customer_name }) => customer_name)).toEqual(["Ada"]);
    const rest = await ada().get(`/api/orders?before=${byId.body.pagination.next_before}`);
    expect(ordersIn(rest).map(({ customer_name }) => customer_name)).toEqual(["Ada"]);
    expect((await ada().get("/api/orders/stats")).body.data).toMatchObject({
      total_orders: 2,
      unique_customers: 1,
    });
  });

  it("finds no order of somebody else, by reading or by writing", async () => {
    const [, eves] = await create(stage());
    const path = `/api/orders/${eves.id}`;
    for (const [method, body, headers] of [
      ["GET", undefined, {}],
      ["GET", undefined, { "If-None-Match": "*" }],
      ["PUT", { amount: 1 }, {}],
      ["PATCH", { amount: 1 }, { "If-Match": `"2020-01-01T00:00:00+00:00"` }],
      ["DELETE", undefined, {}],
      ["DELETE", undefined, { "If-Match": `"2020-01-01T00:00:00+00:00"` }],
      ["PATCH", { status: "shipped" }, { "If-Match": `"${eves.updated_at}"` }],
    ] as const) {
      expect(await ada().send(method, path, body, headers)).toMatchObject({ status: 404 });
    }
    expect(orderIn(await stage().api.get(path))).toEqual(eves);
  });

  it("sets the status of its own orders among many, and hears of the others as missing", async () => {
    const [first, eves, second] = await create(stage());
    const ids = [first.id, eves.id, second.id];
    const answer = await ada().send("PATCH", "/api/orders/bulk-status", {
      order_ids: ids,
      status: "shipped",
    });
    expect(ordersIn(answer).map(({ id }) => id)).toEqual([first.id, second.id]);
    expect(answer.body.missing).toEqual([eves.id]);
    expect(orderIn(await stage().api.get(`/api/orders/${eves.id}`)).status).toBe("pending");
  });

  it("creates only what is its own, and cannot give an order away", async () => {
    const made = await ada().send("POST", "/api/orders", ADA);
    expect(made.status).toBe(201);
    const refused = await ada().send("POST", "/api/orders", EVE);
    expect(refused).toMatchObject({
      status: 403,
      body: { code: "outside_pin", issues: [{ field: "customer_name" }] },
    });
    const path = `/api/orders/${orderIn(made).id}`;
    expect(await ada().send("PUT", path, { customer_name: "Eve" })).toMatchObject({ status: 403 });
    expect(await ada().send("PUT", path, { customer_name: "Ada", amount: 2 })).toMatchObject({ status: 200 });
    expect(await ada().send("DELETE", path)).toMatchObject({ status: 200 });
  });

  it("may be pinned by status or id as well, and by what the API cannot select not at all", async () => {
    const [first, eves] = await create(stage());
    const byId = pinnedTo({ orders: { id: [eves.id, "7e9", 1.5] } });
    expect(ordersIn(await byId.get("/api/orders")).map(({ id }) => id)).toEqual([eves.id]);
    expect(await byId.send("POST", "/api/orders", EVE)).toMatchObject({ status: 403 });
    const pending = pinnedTo({ orders: { status: ["pending"] } });
    expect(await pending.send("PUT", `/api/orders/${first.id}`, { status: "shipped" })).toMatchObject({
      status: 403,
    });
    const bulk = { order_ids: [first.id], status: "shipped" };
    expect(await pending.send("PATCH", "/api/orders/bulk-status", bulk)).toMatchObject({ status: 403 });
    for (const pin of [{ orders: { amount: [1] } }, { salaries: {} }, {}] as Filter[])
      expect(await pinnedTo(pin).get("/api/orders")).toMatchObject({
        status: 403,
        body: { code: "forbidden" },
      });
  });

  it("does not get the answer to somebody else's Idempotency-Key", async () => {
    const key = { "Idempotency-Key": "the same" };
    const whole = await stage().api.send("POST", "/api/orders", ADA, key);
    const own = await ada().send("POST", "/api/orders", ADA, key);
    expect(own.status).toBe(201);
    expect(orderIn(own).id).not.toBe(orderIn(whole).id);
    expect(orderIn(await ada().send("POST", "/api/orders", ADA, key)).id).toBe(orderIn(own).id);
  });
});
