/** Statements that hang, over both adapters: they end in time, are not repeated unasked, and leave no session behind. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { startNeonEndpoint, type NeonEndpoint } from "../support/neon-endpoint.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";
import { openApi, type Answer, type Api } from "./api.ts";

const ORDER = { customer_name: "Ada", product_name: "Lamp" };
const LIMITS = { DATABASE_TIMEOUT_MS: "150", DATABASE_PATIENCE_MS: "450" };
/** The last try begins within the patience, and gets its time and as much again to tell that it was cancelled. */
const LONGEST_MS = 450 + 2 * 150;
/** For a machine that is busy. */
const SLACK_MS = 1_000;

let database: TestDatabase;
let endpoint: NeonEndpoint;
let gate: Server;
const sockets = new Set<Socket>();
/** How many of the next statements get no answer, and how many got none. */
let hang = 0;
let hung = 0;
let overTcp: Api;
let overHttp: Api;

beforeAll(async () => {
  vi.spyOn(console, "error").mockReturnValue();
  database = await createDatabase();
  endpoint = await startNeonEndpoint();
  const url = new URL(database.logins.api);
  const upstreamPort = Number(url.port);
  gate = createServer((socket) => {
    const upstream = connect({ host: "127.0.0.1", port: upstreamPort });
    let isSilent = false;
    socket.on("data", (data: Buffer) => {
      if (!isSilent && hang > 0 && /orders/.test(data.toString("latin1"))) {
        isSilent = true;
        hang -= 1;
        hung += 1;
      }
      upstream.write(data);
    });
    upstream.on("data", (data: Buffer) => isSilent || socket.write(data));
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      sockets.add(one);
      one.on("error", () => undefined).on("close", () => other.destroy());
    }
  });
  gate.listen(0, "127.0.0.1");
  await once(gate, "listening");
  url.port = String((gate.address() as AddressInfo).port);
  overTcp = openApi({ DATABASE_URL: url.href, ...LIMITS });
  overHttp = openApi({
    DATABASE_URL: database.logins.api,
    NEON_FETCH_ENDPOINT: endpoint.url,
    ...LIMITS,
  });
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  gate.close();
  await endpoint.close();
  await database.drop();
});
beforeEach(async () => {
  hang = 0;
  hung = 0;
  await database.client.query("TRUNCATE public.orders RESTART IDENTITY; TRUNCATE rowcast.idempotency_keys");
});

const count = async (): Promise<number> => {
  const { rows } = await database.client.query<{ n: number }>("SELECT count(*)::int AS n FROM orders");
  return rows[0]?.n ?? -1;
};

/** Until the Worker holds no session any more. */
async function expectNoSession(): Promise<void> {
  const sessions = async () => {
    await database.client.query("SELECT pg_stat_clear_snapshot()");
    const { rows } = await database.client.query<{ query: string }>(
      `SELECT query FROM pg_stat_activity
        WHERE application_name = 'rowcast-worker' AND datname = current_database()`,
    );
    return rows;
  };
  await expect.poll(sessions).toEqual([]);
}

async function timed(asking: Promise<Answer>): Promise<{ answer: Answer; ms: number }> {
  const startedAt = performance.now();
  const answer = await asking;
  return { answer, ms: performance.now() - startedAt };
}

describe("A statement that waits for somebody's lock", () => {
  it.each([
    ["GET", "/api/orders", undefined],
    ["POST", "/api/orders", ORDER],
    ["PUT", "/api/orders/1", { amount: 7 }],
  ] as const)("%s %s is cancelled: nothing is done, and no session waits on", async (method, path, body) => {
    await database.client.query("INSERT INTO orders (customer_name, product_name) VALUES ('a', 'b')");
    const [before] = (await database.client.query("SELECT * FROM orders")).rows;
    await database.client.query("BEGIN; LOCK TABLE public.orders");
    try {
      const answer = await overTcp.send(method, path, body);
      expect(answer).toMatchObject({ status: 503, body: { code: "database_busy" } });
      expect(answer.body.detail).toContain("nothing was done");
      expect(answer.headers.get("Retry-After")).toBe("1");
      await overTcp.settle();
      await expectNoSession();
    } finally {
      await database.client.query("COMMIT");
    }
    expect((await database.client.query("SELECT * FROM orders")).rows).toEqual([before]);
  });
});

describe.each([
  ["Postgres", () => overTcp, (times: number) => void (hang = times)],
  [
    "Neon",
    () => overHttp,
    (times: number) => {
      for (let i = 0; i < times; i += 1) endpoint.hangNext();
    },
  ],
])("A %s that takes statements and never answers", (name, api, never) => {
  const tries = async (asking: () => Promise<Answer>) => {
    const before = endpoint.statements.length;
    const timing = await timed(asking());
    await api().settle();
    endpoint.forgive();
    return { ...timing, tries: name === "Neon" ? endpoint.statements.length - before : hung };
  };

  it("is asked again by a read, within its patience", async () => {
    never(1);
    expect((await api().get("/api/orders")).status).toBe(200);
    never(20);
    const { answer, ms, tries: made } = await tries(() => api().get("/api/orders"));
    expect(answer).toMatchObject({ status: 503, body: { code: "database_unavailable" } });
    expect(Number(answer.headers.get("Retry-After"))).toBeGreaterThan(0);
    expect(made).toBeGreaterThan(1);
    expect(ms).toBeLessThan(LONGEST_MS + SLACK_MS);
    await expectNoSession();
  });

  it("is asked once by a write, and the caller is told that its fate is unknown", async () => {
    never(1);
    const { answer, tries: made } = await tries(() => api().send("POST", "/api/orders", ORDER));
    expect(answer).toMatchObject({ status: 503, body: { code: "database_unavailable" } });
    expect(answer.body.detail).toContain("Idempotency-Key");
    expect(made).toBe(1);
    expect(await count()).toBe(1);
    await expectNoSession();
  });

  it("is asked again by a write with an Idempotency-Key, which is made once", async () => {
    never(1);
    const answer = await api().send("POST", "/api/orders", ORDER, { "Idempotency-Key": "k1" });
    expect(answer.status).toBe(201);
    expect(await count()).toBe(1);
    await api().settle();
    await expectNoSession();
  });
});
