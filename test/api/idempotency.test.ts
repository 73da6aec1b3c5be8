/** Idempotency-Key on every write: once is written, and a repetition gets the first answer. */
import { describe, expect, it } from "vitest";
import type { Access } from "../../worker/access/access.ts";
import type { TestDatabase } from "../support/postgres.ts";
import { describeOverAdapters, laptop } from "./adapters.ts";
import { orderIn, ordersIn, type Answer, type Api } from "./api.ts";

const KEY = { "Idempotency-Key": "the-key-1" };

/** Every write that names rows, as it is asked of the orders 1 and 2. */
const WRITES = [
  { method: "PUT", path: "/api/orders/1", body: { amount: 7, status: "shipped" } },
  { method: "PATCH", path: "/api/orders/1", body: { amount: 7 } },
  { method: "DELETE", path: "/api/orders/1" },
  { method: "PATCH", path: "/api/orders/bulk-status", body: { order_ids: [2, 1, 77], status: "shipped" } },
];

/** What a repetition has to have in common with the first answer. */
const essence = ({ status, body, headers }: Answer) => ({ status, body, etag: headers.get("ETag") });
const isReplay = ({ headers }: Answer) => headers.get("Idempotency-Replayed") === "true";

async function keysIn({ client }: TestDatabase): Promise<number> {
  return (await client.query("SELECT FROM rowcast.idempotency_keys")).rowCount ?? -1;
}

/** How many changes of orders there have been. */
async function changesIn({ client }: TestDatabase): Promise<number> {
  return (await client.query(`SELECT FROM rowcast.changes WHERE "table" = 'orders'`)).rowCount ?? -1;
}

/** Sends them while all orders are locked, until each waits: so none has seen the key, or what another of them does. */
async function atOnce(
  { client }: TestDatabase,
  send: () => Promise<Answer>,
  count: number,
): Promise<Answer[]> {
  await client.query("BEGIN; SELECT FROM public.orders FOR UPDATE");
  const answers = Promise.all(Array.from({ length: count }, send));
  try {
    const waiting = async () => {
      // Within a transaction the list of sessions stands still otherwise.
      await client.query("SELECT pg_stat_clear_snapshot()");
      const { rows } = await client.query<{ n: number }>(
        `SELECT count(DISTINCT pid)::int AS n FROM pg_locks JOIN pg_stat_activity USING (pid)
          WHERE NOT granted AND datname = current_database()`,
      );
      return rows[0]?.n;
    };
    await expect.poll(waiting, { timeout: 5_000 }).toBe(count);
  } finally {
    await client.query("COMMIT");
  }
  return answers;
}

describeOverAdapters("A write with an Idempotency-Key", (stage) => {
  describe.each(WRITES)("$method $path", ({ method, path, body }) => {
    const send = (headers: Record<string, string> = KEY, api: Api = stage().api) =>
      api.send(method, path, body, headers);

    it("is made once, and repeated gets the first answer, whatever became of the rows", async () => {
      const { create, api, database, afterWrite } = stage();
      await create();
      await create();
      const first = await send();
      expect(first.status).toBe(200);
      expect(isReplay(first)).toBe(false);
      await api.send("PUT", "/api/orders/1", { customer_name: "Somebody else" });
      await api.send("DELETE", "/api/orders/2");
      const [changes, calls] = [await changesIn(database), afterWrite.mock.calls.length];
      const again = await send();
      expect(essence(again)).toEqual(essence(first));
      expect(isReplay(again)).toBe(true);
      expect(await changesIn(database)).toBe(changes);
      expect(afterWrite).toHaveBeenCalledTimes(calls);
    });

    it("is made once when it comes several times at the same moment", async () => {
      const { create, database } = stage();
      await create();
      await create();
      const changes = await changesIn(database);
      const answers = await atOnce(database, () => send(), 3);
      const [first] = answers;
      expect(first?.status).toBe(200);
      for (const answer of answers) expect(essence(answer)).toEqual(first && essence(first));
      expect(answers.filter(isReplay)).toHaveLength(2);
      expect((await changesIn(database)) - changes).toBe(path.endsWith("bulk-status") ? 2 : 1);
    });

    it("that is refused keeps nothing: the same key works once there is something to write", async () => {
      const { create, database } = stage();
      const none = await send();
      expect(none.status).toBe(404);
      expect(await keysIn(database)).toBe(0);
      await create();
      await create();
      expect((await send()).status).toBe(200);
      expect(await keysIn(database)).toBe(1);
    });

    it("may not come with another method, path or body", async () => {
      const { create, api, database } = stage();
      await create();
      await create();
      await send();
      const others = [
        ...WRITES.filter((other) => other.method !== method || other.path !== path),
        { method: "POST", path: "/api/orders", body: laptop },
        { method: "PUT", path: "/api/orders/99", body: { amount: 7 } },
        { method: "DELETE", path: "/api/orders/2" },
        ...(body ? [{ method, path, body: { ...body, status: "cancelled" } }] : []),
      ];
      const changes = await changesIn(database);
      for (const other of others)
        expect(await api.send(other.method, other.path, other.body, KEY)).toMatchObject({
          status: 422,
          body: { code: "idempotency_key_reused", issues: [{ field: "Idempotency-Key" }] },
        });
      expect(await changesIn(database)).toBe(changes);
    });

    it("belongs to its bearer: nobody else gets the answer, and nobody with another pin", async () => {
      const { create, as } = stage();
      await create();
      await create();
      const expiresAt = Date.now() + 60_000;
      const whole: Access = { role: "write", subject: "ada", holder: "subject ada", pin: null, expiresAt };
      expect((await send(KEY, as(whole))).status).toBe(200);
      for (const other of [
        { ...whole, subject: "eve" },
        { ...whole, subject: "" },
        { ...whole, pin: { orders: { customer_name: ["Eve"] } } },
        { ...whole, subject: "", pin: { orders: { customer_name: ["Eve"] } } },
      ])
        expect(isReplay(await send(KEY, as(other)))).toBe(false);
      const eve = { ...whole, pin: { orders: { customer_name: ["Eve"] } } };
      expect((await send(KEY, as(eve))).status).toBe(404);
      expect(isReplay(await send(KEY, as({ ...whole, expiresAt: null })))).toBe(true);
    });
  });

  it.each(["PUT", "DELETE"])(
    "%s with If-Match, repeated, is not refused for its own change",
    async (method) => {
      const { create, api, database } = stage();
      const { updated_at } = await create();
      const body = method === "PUT" ? { amount: 7 } : undefined;
      const headers = { ...KEY, "If-Match": `"${updated_at}"` };
      const send = () => api.send(method, "/api/orders/1", body, headers);
      const answers = [...(await atOnce(database, send, 2)), await send()];
      for (const answer of answers) expect(answer).toMatchObject({ status: 200, body: answers[0]?.body });
      expect(answers.filter(isReplay)).toHaveLength(2);
    },
  );

  it("refused for its version may come again with the present one", async () => {
    const { create, api, database } = stage();
    const { updated_at } = await create();
    const stale = { ...KEY, "If-Match": '"2026-01-01T00:00:00+00:00"' };
    const refused = await api.send("PUT", "/api/orders/1", { amount: 7 }, stale);
    expect(refused).toMatchObject({ status: 412, body: { code: "precondition_failed" } });
    expect(await api.send("DELETE", "/api/orders/1", undefined, stale)).toMatchObject({ status: 412 });
    expect(await keysIn(database)).toBe(0);
    const present = { ...KEY, "If-Match": `"${updated_at}"` };
    expect((await api.send("PUT", "/api/orders/1", { amount: 7 }, present)).status).toBe(200);
    expect((await api.send("PUT", "/api/orders/1", { amount: "x" }, present)).status).toBe(422);
    expect(await keysIn(database)).toBe(1);
  });

  it("is the same however it is spelled, and whichever of the two paths it comes to", async () => {
    const { create, api } = stage();
    await create();
    await create();
    const put = await api.send("PUT", "/api/orders/1", '{"amount": 7, "status":"shipped"}', KEY);
    const put2 = await api.send("PUT", "/orders/1", '{"status":"shipped","amount":7.00}', KEY);
    expect(isReplay(put2)).toBe(true);
    expect(orderIn(put2)).toEqual(orderIn(put));
    const bulk = { "Idempotency-Key": "bulk" };
    const many = (order_ids: number[]) =>
      api.send("PATCH", "/api/orders/bulk-status", { order_ids, status: "completed" }, bulk);
    expect(ordersIn(await many([1, 2]))).toEqual(ordersIn(await many([2, 1])));
    expect(isReplay(await many([2, 1]))).toBe(true);
  });

  it("of a token that was issued again, its pin in another order, is the same", async () => {
    const { create, as } = stage();
    await create();
    const token = (pin: Access["pin"]) =>
      as({ role: "write", subject: "ada", holder: "subject ada", pin, expiresAt: Date.now() + 60_000 });
    const send = (api: Api) => api.send("PATCH", "/api/orders/1", { amount: 7 }, KEY);
    const customer_name = ["John Doe", "Ada"];
    await send(token({ orders: { customer_name, status: ["pending"] }, notes: {} }));
    const again = { notes: {}, orders: { status: ["pending"], customer_name: customer_name.toReversed() } };
    expect(isReplay(await send(token(again)))).toBe(true);
  });
});
