import { createServer, type AddressInfo, type Server } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { openDatabase } from "../../worker/database/open.ts";
import { DatabaseError, DatabaseUnavailable } from "../../worker/database/failure.ts";
import { describeDatabaseFailure } from "../../worker/database/failure-problem.ts";
import { problemResponse } from "../../worker/http/problem.ts";
import { startNeonEndpoint, type NeonEndpoint } from "../support/neon-endpoint.ts";
import { createDatabase, createEmptyDatabase, type TestDatabase } from "../support/postgres.ts";
import { openApi, type Answer } from "./api.ts";

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

const log = vi.spyOn(console, "error");
// Each test in an hour of its own: what the log told a second ago it does not tell again.
const present = Date.now;
let hours = 0;
vi.spyOn(Date, "now").mockImplementation(() => present() + hours * 3_600_000);
beforeEach(() => {
  hours += 1;
  log.mockReset().mockReturnValue();
});

/** A 503 that says when to come again, gives nothing away, and is one line in the log. */
function expectUnavailable({ status, headers, body }: Answer) {
  expect({ status, code: body.code }).toEqual({ status: 503, code: "database_unavailable" });
  expect(Number(headers.get("Retry-After"))).toBeGreaterThan(0);
  expect(JSON.stringify(body)).not.toMatch(/secret|127\.0\.0\.1|ECONN|Control plane/);
  expect(log).toHaveBeenCalledTimes(1);
  const line = String(log.mock.calls[0]?.[0]);
  expect(JSON.parse(line)).toMatchObject({ level: "error", event: "request_failed" });
  expect(line).not.toContain("secret");
}

const adapters = ["pg over TCP", "Neon over HTTP"];
/** With no patience: how it is told, not how it is waited out (retries.test.ts). */
const environment = (adapter: string, url: string) => ({
  DATABASE_URL: url,
  DATABASE_PATIENCE_MS: "0",
  ...(adapter.startsWith("Neon") && { NEON_FETCH_ENDPOINT: endpoint.url }),
});

describe.each(adapters)("A database in trouble over %s", (adapter) => {
  it("that refuses connections is a 503, and nothing is left behind", async () => {
    const port = await closedPort();
    const api = openApi(environment(adapter, `postgres://user:secret@127.0.0.1:${port}/db`));
    expectUnavailable(await api.get("/api/orders"));
    await api.settle();
  });

  it("that lasts is one line a second in the log, with how many were not told", async () => {
    const port = await closedPort();
    const api = openApi(environment(adapter, `postgres://user:secret@127.0.0.1:${port}/db`));
    for (let request = 0; request < 3; request += 1) await api.get("/api/orders");
    expectUnavailable(await api.get("/api/orders"));
    hours += 1;
    await api.get("/api/orders");
    expect(log).toHaveBeenCalledTimes(2);
    expect(JSON.parse(String(log.mock.lastCall?.[0]))).toMatchObject({ untold: 3 });
    await api.settle();
  });

  it("that hangs up in the middle is a 503", async () => {
    const server = createServer((socket) => {
      socket.once("data", () => socket.destroy());
      socket.on("error", () => undefined);
    });
    const port = await listen(server);
    onTestFinished(() => void server.close());
    const api = openApi(environment(adapter, `postgres://user:secret@127.0.0.1:${port}/db`));
    expectUnavailable(await api.send("PUT", "/api/orders/1", { amount: 1 }));
    await api.settle();
  });

  it("that ends our session is a 503", async () => {
    const api = openApi(environment(adapter, database.url));
    await database.client.query("BEGIN; LOCK TABLE public.orders");
    const answer = api.get("/api/orders");
    await expect
      .poll(async () => {
        const { rowCount } = await database.client.query(
          "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted",
        );
        return rowCount;
      })
      .toBe(1);
    await database.client.query("ROLLBACK");
    expectUnavailable(await answer);
  });

  it("that lacks its tables says how to make them", async () => {
    const empty = await createEmptyDatabase();
    onTestFinished(() => empty.drop());
    const answer = await openApi(environment(adapter, empty.url)).get("/api/orders");
    expect(answer).toMatchObject({ status: 503, body: { code: "database_not_migrated" } });
    expect(answer.body.detail).toContain("npm run migrate");
  });

  it("that does not exist is not the caller's fault", async () => {
    const url = new URL(database.url);
    url.pathname = "/nowhere";
    const answer = await openApi(environment(adapter, url.href)).get("/api/orders");
    expect(answer).toMatchObject({ status: 503, body: { code: "database_refused" } });
  });

  it("gives errors and values alike, whichever way is taken", async () => {
    const sql = openDatabase(environment(adapter, database.url));
    const [row] = await sql.query(
      `SELECT $1::int AS int, $2::text AS text, $3::text[]::text AS list, $4::text AS nothing,
              '{"a": 1.50}'::jsonb::text AS json, pg_typeof($5::timestamptz[])::text AS type`,
      [7, "'\"\\", ["a,b", 'c"d'], null, ["2026-01-01T00:00:00Z"]],
    );
    expect(row).toEqual({
      int: 7,
      text: "'\"\\",
      list: '{"a,b","c\\"d"}',
      nothing: null,
      json: '{"a": 1.50}',
      type: "timestamp with time zone[]",
    });
    const insert = "INSERT INTO public.orders (customer_name, product_name, status) VALUES ('a', 'b', $1)";
    await expect(sql.query(insert, ["lost"])).rejects.toMatchObject({
      code: "database_error",
      sqlState: "23514",
      constraint: "orders_status_check",
    });
    await expect(sql.query("SELECT $1::int", ["99999999999"])).rejects.toMatchObject({ sqlState: "22003" });
    await expect(sql.query("SELECT '\\x'::bytea / 0")).rejects.toBeInstanceOf(DatabaseError);
  });
});

describe("Neon's proxy in trouble", () => {
  it.each([
    [500, '{"message":"Control plane request failed","code":""}'],
    [500, "Couldn't connect to compute node"],
    [507, "response is too large (max is 10485760 bytes)"],
    [502, "<html>bad gateway</html>"],
  ])("with a %i is a 503: %s", async (status, text) => {
    const api = openApi(environment("Neon", database.url));
    endpoint.failNext(status, text);
    expectUnavailable(await api.get("/api/orders"));
    expect((await api.get("/api/orders")).status).toBe(200);
  });

  it("that is not there is a 503", async () => {
    const NEON_FETCH_ENDPOINT = `http://127.0.0.1:${await closedPort()}/sql`;
    const env = { ...environment("Neon", database.url), NEON_FETCH_ENDPOINT };
    expectUnavailable(await openApi(env).get("/api/orders"));
  });

  it("sends an insert once and does not repeat it on its own", async () => {
    const api = openApi(environment("Neon", database.url));
    const before = endpoint.statements.length;
    await api.send("POST", "/api/orders", { customer_name: "A", product_name: "B" });
    expect(endpoint.statements.length - before).toBe(1);
  });
});

describe("A database that is not configured", () => {
  it.each([
    undefined,
    "",
    "secret",
    "https://secret@example.org/db",
    "postgres://user:sec#ret@host/db",
    "postgres://user:secret@host",
    "postgres://user:secret@host/db?sslmode=verify-full&sslrootcert=/etc/root.pem",
  ])("says what to set and gives nothing away: %s", async (DATABASE_URL) => {
    const env = DATABASE_URL === undefined ? {} : { DATABASE_URL };
    const { status, body } = await openApi(env).get("/api/orders");
    expect({ status, code: body.code }).toEqual({ status: 503, code: "database_not_configured" });
    expect(body.detail).toContain("DATABASE_URL");
    expect(JSON.stringify(body) + JSON.stringify(log.mock.calls)).not.toMatch(/secret@|sec#ret/);
  });
});

describe("An error on the way out", () => {
  it.each([
    ["23505", "orders_pkey", "conflict"],
    ["23514", "orders_amount_check", "invalid_value", "amount"],
    ["23502", null, "invalid_value"],
    ["22021", null, "invalid_value"],
    ["22003", null, "invalid_value"],
    ["40P01", null, "database_busy"],
    ["57P01", null, "database_unavailable"],
    ["57P03", null, "database_unavailable"],
    ["53300", null, "database_unavailable"],
    ["08006", null, "database_unavailable"],
    ["28P01", null, "database_refused"],
    ["XX000", null, "internal"],
  ])("SQLSTATE %s of %s is %s", (sqlState, constraint, code, field?: string) => {
    const problem = describeDatabaseFailure(new DatabaseError("…", { sqlState, constraint }));
    expect({ code: problem.code, field: problem.field }).toEqual({ code, field });
  });

  it("that nobody expected is a 500 without a word of it, and is logged without passwords", async () => {
    const cause = new DatabaseUnavailable("cannot reach postgres://me:hunter2@db.example.org/x");
    const response = problemResponse(new TypeError("x is not a function", { cause }), "/api/orders");
    expect(response.status).toBe(500);
    const body = await response.text();
    expect(JSON.parse(body)).toMatchObject({ success: false, code: "internal", instance: "/api/orders" });
    expect(body).not.toMatch(/not a function|at .*:\d+/);
    const line = String(log.mock.calls[0]?.[0]);
    expect(line).toContain("x is not a function");
    expect(line).toContain("postgres://***@db.example.org");
    expect(line).not.toContain("hunter2");
    expect(line).not.toContain("\n");
  });
});

async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return (server.address() as AddressInfo).port;
}
