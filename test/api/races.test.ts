import { expect, it } from "vitest";
import type { TestDatabase } from "../support/postgres.ts";
import { describeOverAdapters, laptop } from "./adapters.ts";
import { orderIn } from "./api.ts";

describeOverAdapters("Writers at the same time", (stage) => {
  it("writes only the version that If-Match names", async () => {
    const { api, create } = stage();
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
    const { api, create } = stage();
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
    const { api, database, create } = stage();
    const { updated_at } = await create();
    await database.client.query("BEGIN");
    await database.client.query("UPDATE public.orders SET amount = 7");
    const late = api.send("PUT", "/orders/1", { amount: 8 }, { "If-Match": `"${updated_at}"` });
    await blockedWriter(database);
    await database.client.query("COMMIT");
    expect((await late).status).toBe(412);
  });

  it("finds no order, rather than a changed one, when it was deleted in between", async () => {
    const { api, database, create } = stage();
    await create();
    await database.client.query("BEGIN");
    await database.client.query("DELETE FROM public.orders");
    const late = api.send("PUT", "/orders/1", { amount: 8 });
    await blockedWriter(database);
    await database.client.query("COMMIT");
    expect((await late).status).toBe(404);
  });

  it("creates one order for one idempotency key", async () => {
    const { api } = stage();
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
    const { api } = stage();
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

  it("locks many orders in the order of their ids, so that two bulk updates cannot deadlock", async () => {
    const { api, database } = stage();
    // On disk the larger id lies first: whoever takes rows as they come takes 2 before 1.
    await database.client.query(
      "INSERT INTO public.orders (id, customer_name, product_name) VALUES (2, 'c', 'p'), (1, 'c', 'p')",
    );
    await database.client.query("BEGIN");
    await database.client.query("UPDATE public.orders SET amount = 1 WHERE id = 1");
    const bulk = api.send("PATCH", "/api/orders/bulk-status", { order_ids: [2, 1], status: "completed" });
    await blockedWriter(database);
    await database.client.query("UPDATE public.orders SET amount = 2 WHERE id = 2");
    await database.client.query("COMMIT");
    expect(await bulk).toMatchObject({
      status: 200,
      body: { count: 2, data: [{ amount: 1 }, { amount: 2 }] },
    });
  });
});

/** Until some session waits for a lock. */
async function blockedWriter({ client }: TestDatabase): Promise<void> {
  await expect
    .poll(async () => (await client.query("SELECT FROM pg_locks WHERE NOT granted")).rowCount)
    .toBeGreaterThan(0);
}
