import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startNeonEndpoint, type NeonEndpoint } from "../support/neon-endpoint.ts";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";
import { openApi, type Api } from "./api.ts";

let database: TestDatabase;
let endpoint: NeonEndpoint;
let api: Api;
beforeAll(async () => {
  database = await createDatabase();
  endpoint = await startNeonEndpoint();
  await database.client.query("TRUNCATE public.orders RESTART IDENTITY");
  await database.client.query("INSERT INTO public.orders (customer_name, product_name) VALUES ('a', 'b')");
});
afterAll(async () => {
  await endpoint.close();
  await database.drop();
});

const good = { customer_name: "John Doe", product_name: "Laptop" };
const list = "/api/orders";
const one = "/api/orders/1";
const bulk = "/api/orders/bulk-status";
const ids = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const text = { "Content-Type": "text/plain" };

interface Case {
  readonly what: string;
  readonly ask: readonly [method: string, path: string, body?: unknown, headers?: Record<string, string>];
  readonly status: number;
  readonly code: string;
  readonly field?: string;
}

function refuse(what: string, ask: Case["ask"], status: number, code: string, field?: string): Case {
  return { what, ask, status, code, ...(field !== undefined && { field }) };
}
const post = (what: string, body: unknown, field: string) =>
  refuse(what, ["POST", list, body], 422, "invalid_body", field);
const put = (what: string, body: unknown, field: string) =>
  refuse(what, ["PUT", one, body], 422, "invalid_body", field);
const bulkWith = (what: string, body: unknown, field: string) =>
  refuse(what, ["PATCH", bulk, body], 422, "invalid_body", field);
const query = (search: string, field: string) =>
  refuse(`?${search}`, ["GET", `${list}?${search}`], 400, "invalid_query", field);
const id = (method: string, id: string) =>
  refuse(`id ${id}`, [method, `${list}/${id}`, method === "PUT" ? good : undefined], 400, "invalid_id", "id");

const cases: readonly Case[] = [
  refuse("broken JSON", ["POST", list, "{broken"], 400, "invalid_json"),
  refuse("JSON cut off", ["PUT", one, '{"status":"ship'], 400, "invalid_json"),
  refuse("a bare word", ["POST", list, "undefined"], 400, "invalid_json"),
  refuse("no body", ["POST", list], 400, "empty_body"),
  refuse("an empty body", ["POST", list, ""], 400, "empty_body"),
  refuse("a body of spaces", ["PUT", one, " \n "], 400, "empty_body"),
  post("null", null, ""),
  post("a list", [good], ""),
  post("a text", '"order"', ""),
  post("a number", 7, ""),
  bulkWith("true", true, ""),
  refuse("plain text", ["POST", list, good, text], 415, "unsupported_media_type", "Content-Type"),
  refuse(
    "what curl -d sends alone",
    ["POST", list, good, { "Content-Type": "application/x-www-form-urlencoded" }],
    415,
    "unsupported_media_type",
    "Content-Type",
  ),
  refuse("jsonp", ["PUT", one, good, { "Content-Type": "application/jsonp" }], 415, "unsupported_media_type"),
  refuse("a body of 1 MB", ["POST", list, { ...good, product_name: "x".repeat(1e6) }], 413, "body_too_large"),
  refuse(
    "a bulk of 1 MB",
    ["PATCH", bulk, { order_ids: ids(2e5), status: "shipped" }],
    413,
    "body_too_large",
  ),

  post("an empty object", {}, "customer_name"),
  post("no product_name", { customer_name: "A" }, "product_name"),
  post("an unknown status", { ...good, status: "lost" }, "status"),
  post("a status in capitals", { ...good, status: "PENDING" }, "status"),
  post("a status of null", { ...good, status: null }, "status"),
  post("a number for a name", { ...good, customer_name: 5 }, "customer_name"),
  post("null for a name", { ...good, product_name: null }, "product_name"),
  post("an object for a name", { ...good, product_name: {} }, "product_name"),
  post("an empty name", { ...good, customer_name: "" }, "customer_name"),
  post("a name of spaces", { ...good, customer_name: " \t\n " }, "customer_name"),
  post("a name of 256 characters", { ...good, customer_name: "x".repeat(256) }, "customer_name"),
  post("a name of 10,000 characters", { ...good, product_name: "é".repeat(10_000) }, "product_name"),
  post("NUL in a name", { ...good, customer_name: "a\0b" }, "customer_name"),
  post("half a surrogate pair in a name", { ...good, product_name: "a\ud83d" }, "product_name"),
  post("a field that is not one", { ...good, colour: "red" }, "colour"),
  post("an id of one's own", { ...good, id: 5 }, "id"),
  post("a field called __proto__", `{"customer_name":"a","product_name":"b","__proto__":{}}`, "__proto__"),
  post("a field called constructor", { ...good, constructor: 1 }, "constructor"),
  post("an amount in quotes", { ...good, amount: "5.00" }, "amount"),
  post("a negative amount", { ...good, amount: -0.01 }, "amount"),
  post("an amount too large", { ...good, amount: 100_000_000 }, "amount"),
  post("an amount beyond doubles", '{"customer_name":"a","product_name":"b","amount":1e999}', "amount"),
  post("three decimals", { ...good, amount: 1.005 }, "amount"),
  post("a tiny amount", { ...good, amount: 1e-7 }, "amount"),

  put("no field", {}, ""),
  put("an unknown status in an update", { status: "lost" }, "status"),
  put("a name of null in an update", { customer_name: null }, "customer_name"),
  put("a field that may not be written", { updated_at: "2026-01-01T00:00:00Z" }, "updated_at"),

  bulkWith("no ids", { status: "shipped" }, "order_ids"),
  bulkWith("no status", { order_ids: [1] }, "status"),
  bulkWith("an empty list of ids", { order_ids: [], status: "shipped" }, "order_ids"),
  bulkWith("1001 ids", { order_ids: ids(1001), status: "shipped" }, "order_ids"),
  bulkWith("an id twice", { order_ids: [1, 2, 1], status: "shipped" }, "order_ids"),
  bulkWith("ids as text", { order_ids: ["1"], status: "shipped" }, "order_ids.0"),
  bulkWith("a fraction of an id", { order_ids: [1, 1.5], status: "shipped" }, "order_ids.1"),
  bulkWith("an id of 0", { order_ids: [0], status: "shipped" }, "order_ids.0"),
  bulkWith("an id out of range", { order_ids: [99999999999], status: "shipped" }, "order_ids.0"),
  bulkWith("ids as an object", { order_ids: { 0: 1 }, status: "shipped" }, "order_ids"),

  ...["abc", "-1", "0", "1.5", "1e3", "0x1", "%20", "%00", "01", "2147483648", "99999999999"].map((text) =>
    id("GET", text),
  ),
  id("PUT", "abc"),
  id("PUT", "-5"),
  id("DELETE", "99999999999"),
  id("DELETE", "1;drop table orders"),
  id("GET", "%E0%A4%A"),

  ...["status=lost", "status=", "status=pending,", "status=pending&status=lost"].map((search) =>
    query(search, "status"),
  ),
  ...["limit=0", "limit=5001", "limit=-1", "limit=abc", "limit=1.5", "limit=", "limit=1&limit=2"].map(
    (search) => query(search, "limit"),
  ),
  ...["offset=-1", "offset=99999999999", "offset=x"].map((search) => query(search, "offset")),
  ...["before=0", "before=2147483649", "before=-1", "before=", "before=1&before=2", "before=1'--"].map(
    (search) => query(search, "before"),
  ),
  query("before=5&offset=1", "before"),
  ...["total=2", "total=", "total=no", "total=0&total=1"].map((search) => query(search, "total")),
  query("customer_name=a%00b", "customer_name"),
  query(`customer_name=${"x".repeat(256)}`, "customer_name"),
  query("customer_name=a&customer_name=b", "customer_name"),

  ...["plain", '"open', "2026-11-20T23:00:00+00:00", '"a" "b"', ","].map((tag) =>
    refuse(`If-Match: ${tag}`, ["PUT", one, good, { "If-Match": tag }], 400, "invalid_header", "If-Match"),
  ),
  ...["", "x".repeat(256), "smörgås", "a\tb"].map((key) =>
    refuse(
      `Idempotency-Key: ${key.slice(0, 10)}`,
      ["POST", list, good, { "Idempotency-Key": key }],
      400,
      "invalid_header",
      "Idempotency-Key",
    ),
  ),
  ...(["PUT", "PATCH", "DELETE"] as const).map((method) =>
    refuse(
      `${method} with a key of none`,
      [method, one, method === "DELETE" ? undefined : good, { "Idempotency-Key": "" }],
      400,
      "invalid_header",
      "Idempotency-Key",
    ),
  ),
  refuse(
    "a bulk with a key that is too long",
    ["PATCH", bulk, { order_ids: [1], status: "shipped" }, { "Idempotency-Key": "x".repeat(256) }],
    400,
    "invalid_header",
    "Idempotency-Key",
  ),

  refuse("an unknown path", ["GET", "/api/order"], 404, "not_found"),
  refuse("a path too deep", ["GET", `${one}/items`], 404, "not_found"),
  ...[
    ["DELETE", list],
    ["PUT", list, good],
    ["POST", one, good],
    ["PROPFIND", one],
    ["POST", "/api/orders/stats", good],
    ["DELETE", "/orders/stats"],
    ["GET", bulk],
    ["PUT", bulk, good],
  ].map(([method, path, body]) =>
    refuse("a wrong method", [method as string, path as string, body], 405, "method_not_allowed"),
  ),
];

describe.each(["pg over TCP", "Neon over HTTP"])("Bad input over %s", (adapter) => {
  beforeAll(() => {
    const neon = adapter.startsWith("Neon") ? { NEON_FETCH_ENDPOINT: endpoint.url } : {};
    api = openApi({ DATABASE_URL: database.url, ...neon });
  });

  it.each(cases)("is refused: $what ($ask.0 $ask.1)", async ({ ask, status, code, field }) => {
    const { body, headers, ...answer } = await api.send(...ask);
    expect({ status: answer.status, code: body.code }).toEqual({ status, code });
    expect(headers.get("Content-Type")).toBe("application/problem+json");
    expect(body).toMatchObject({ success: false, status, type: `/api/docs#${code}` });
    expect(body.title).not.toBe("");
    expect(body.detail).not.toBe("");
    expect(body.instance.startsWith("/")).toBe(true);
    expect(JSON.stringify(body)).not.toMatch(/node_modules|at \w+ \(|worker\//);
    expect(JSON.stringify(body).length).toBeLessThan(3_000);
    if (field !== undefined) expect(body.issues.map((issue) => issue.field)).toContain(field);
    if (status === 405) expect(headers.get("Allow")).toMatch(/^[A-Z]+(, [A-Z]+)*$/);
  });

  it("names every field that is wrong", async () => {
    const { body } = await api.send("POST", list, { customer_name: 1, status: "lost", amount: -1 });
    expect(body.issues).toEqual([
      { field: "customer_name", message: "has to be a text" },
      { field: "product_name", message: "is required" },
      {
        field: "status",
        message: "status is one of pending, processing, shipped, delivered, completed, cancelled",
      },
      { field: "amount", message: "may not be negative" },
    ]);
  });

  it("is refused, and cut off after some 4 MB: a body without end", async () => {
    let pulled = 0;
    let cut = false;
    const endless = new ReadableStream({
      pull(controller) {
        pulled += 1;
        controller.enqueue(new Uint8Array(16_384).fill(0x20));
      },
      cancel() {
        cut = true;
      },
    });
    const response = await api.fetch(
      new Request("http://api.test/api/orders", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: endless,
        duplex: "half",
      } as RequestInit),
    );
    expect(response.status).toBe(413);
    expect(pulled * 16_384).toBeLessThan(4_500_000);
    expect(cut).toBe(true);
  });

  it("is refused: bytes that are not UTF-8", async () => {
    const response = await api.fetch(
      new Request("http://api.test/api/orders", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]),
      }),
    );
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "invalid_json" });
  });

  it.each(["application/json; charset=utf-8", "Application/JSON", "application/merge-patch+json"])(
    "is not: a body as %s",
    async (type) => {
      const answer = await api.send("PUT", one, { status: "shipped" }, { "Content-Type": type });
      expect(answer.status).toBe(200);
    },
  );

  it("leaves the orders as they were", async () => {
    expect((await api.get(list)).body.pagination.total).toBe(1);
  });
});
