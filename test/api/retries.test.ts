/** A database that fails for a moment, over both adapters: reads do not notice, and no write is made twice. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { startNeonEndpoint, type NeonEndpoint } from "../support/neon-endpoint.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";
import { openApi, orderIn, type Api } from "./api.ts";

const ORDER = { customer_name: "Ada", product_name: "Lamp" };

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
  vi.spyOn(console, "error").mockReturnValue();
});
afterAll(() => database?.drop());
beforeEach(() => database.client.query("TRUNCATE public.orders; TRUNCATE rowcast.idempotency_keys"));

const count = async (): Promise<number> => {
  const { rows } = await database.client.query<{ n: number }>("SELECT count(*)::int AS n FROM orders");
  return rows[0]?.n ?? -1;
};

/** What an adapter is made to go through. */
interface Trouble {
  readonly api: Api;
  /** The next statement does not reach Postgres. */
  readonly refuse: () => void;
  /** The next one is carried out, and its answer lost. */
  readonly lose: () => void;
}

const both: Record<string, () => Trouble> = {};

let endpoint: NeonEndpoint;
let api: Api;
beforeAll(async () => {
  endpoint = await startNeonEndpoint();
  api = openApi({ DATABASE_URL: database.url, NEON_FETCH_ENDPOINT: endpoint.url });
  both["Neon over HTTP"] = () => ({
    api,
    refuse: () => endpoint.failNext(500, '{"message":"Control plane request failed","code":""}'),
    lose: () => endpoint.loseNext(),
  });
});
afterAll(() => endpoint?.close());

let gate: Server;
let port: number;
const sockets = new Set<Socket>();
let next: "refuse" | "lose" | null = null;
beforeAll(async () => {
  const target = new URL(database.url);
  gate = createServer((socket) => {
    sockets.add(socket);
    const harm = next;
    next = null;
    if (harm === "refuse") return void socket.destroy();
    const upstream = connect({ host: target.hostname, port: Number(target.port) });
    let asked = false;
    for (const each of [socket, upstream]) each.on("error", () => undefined);
    socket.on("data", (data: Buffer) => {
      if (/orders/.test(data.toString("latin1"))) asked = true;
      upstream.write(data);
    });
    upstream.on("data", (data: Buffer) => {
      if (harm === "lose" && asked) socket.destroy();
      else socket.write(data);
    });
    socket.on("close", () => upstream.destroy());
    upstream.on("close", () => socket.destroy());
  });
  gate.listen(0, "127.0.0.1");
  await once(gate, "listening");
  ({ port } = gate.address() as AddressInfo);
  const url = new URL(database.url);
  url.hostname = "127.0.0.1";
  url.port = String(port);
  const api = openApi({ DATABASE_URL: url.href });
  both["pg over TCP"] = () => ({
    api,
    refuse: () => void (next = "refuse"),
    lose: () => void (next = "lose"),
  });
});
afterEach(() => {
  next = null;
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  gate.close();
  await once(gate, "close");
});

describe.each(["pg over TCP", "Neon over HTTP"])("Through %s", (adapter) => {
  const trouble = (): Trouble => {
    const made = both[adapter];
    if (!made) throw new Error("not set up");
    return made();
  };

  it("a read survives a refusal and a lost answer", async () => {
    const { api, refuse, lose } = trouble();
    for (const harm of [refuse, lose]) {
      harm();
      expect((await api.get("/api/orders")).status).toBe(200);
    }
  });

  it("a write that did not happen is tried again", async () => {
    const { api, refuse } = trouble();
    refuse();
    expect((await api.send("POST", "/api/orders", ORDER)).status).toBe(201);
    expect(await count()).toBe(1);
  });

  it("a write whose answer is lost is not repeated, and the caller is told what to do", async () => {
    const { api, lose } = trouble();
    lose();
    const answer = await api.send("POST", "/api/orders", ORDER);
    expect(answer).toMatchObject({ status: 503, body: { code: "database_unavailable" } });
    expect(answer.body.detail).toContain("Idempotency-Key");
    expect(await count()).toBe(1);
  });

  it("with an Idempotency-Key it is repeated, once is made, and the first answer comes", async () => {
    const { api, lose } = trouble();
    const key = { "Idempotency-Key": "k1" };
    lose();
    const answer = await api.send("POST", "/api/orders", ORDER, key);
    expect(answer.status).toBe(201);
    expect(await count()).toBe(1);
    const again = await api.send("POST", "/api/orders", ORDER, key);
    expect(orderIn(again)).toEqual(orderIn(answer));
    expect(again.body.xid).toBe(answer.body.xid);
  });

  it.each([
    ["PUT", "/1", { amount: 1 }],
    ["PATCH", "/1", { status: "shipped" }],
    ["DELETE", "/1", undefined],
    ["PATCH", "/bulk-status", { order_ids: [1], status: "shipped" }],
  ])(
    "%s %s with an Idempotency-Key is repeated after a lost answer, and made once",
    async (method, at, body) => {
      const { api, lose } = trouble();
      await database.client.query(
        "INSERT INTO orders (id, customer_name, product_name) VALUES (1, 'a', 'p')",
      );
      const updated = async () => (await database.client.query("SELECT updated_at FROM orders")).rows;
      lose();
      const key = { "Idempotency-Key": "k2" };
      const answer = await api.send(method, `/api/orders${at}`, body, key);
      expect(answer.status).toBe(200);
      const rows = await updated();
      const again = await api.send(method, `/api/orders${at}`, body, key);
      expect(again).toMatchObject({ status: 200, body: answer.body });
      expect(await updated()).toEqual(rows);
      expect((await database.client.query("SELECT FROM rowcast.idempotency_keys")).rowCount).toBe(1);
    },
  );

  it("an update or a deletion whose answer is lost is not repeated either", async () => {
    const { api, lose } = trouble();
    const { id } = orderIn(await api.send("POST", "/api/orders", ORDER));
    lose();
    expect((await api.send("PUT", `/api/orders/${id}`, { amount: 1 })).status).toBe(503);
    lose();
    expect((await api.send("DELETE", `/api/orders/${id}`)).status).toBe(503);
    expect(await count()).toBe(0);
  });
});

describe("Neon's proxy", () => {
  it.each([
    [500, '{"message":"Control plane request failed","code":""}'],
    [500, "Couldn't connect to compute node"],
    [500, "endpoint is idle, retry request"],
    [500, "timed out while waiting for endpoint"],
    [502, "<html>bad gateway</html>"],
    [503, "overloaded"],
    [504, "gateway timeout"],
    [400, JSON.stringify({ message: "the database system is starting up", code: "57P03" })],
    [400, JSON.stringify({ message: "terminating connection", code: "57P01" })],
    [400, JSON.stringify({ message: "sorry, too many clients already", code: "53300" })],
    [400, JSON.stringify({ message: "connection failure", code: "08006" })],
  ])("answers a read after a %i: %s", async (status, text) => {
    endpoint.failNext(status, text);
    endpoint.failNext(status, text);
    expect((await api.get("/api/orders")).status).toBe(200);
  });

  it("does not repeat what would only fail again", async () => {
    const before = endpoint.statements.length;
    endpoint.failNext(507, "response is too large (max is 10485760 bytes)");
    expect((await api.get("/api/orders")).status).toBe(503);
    expect(endpoint.statements.length).toBe(before);
  });

  it("is waited for while a compute wakes", async () => {
    endpoint.delayNext(1_500);
    expect((await api.send("POST", "/api/orders", ORDER)).status).toBe(201);
  });
});
