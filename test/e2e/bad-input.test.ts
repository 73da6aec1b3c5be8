/** What must not be, over real HTTP: each a 4xx problem with its code and the field, and the Worker lives on. (Every case there is: test/api.) */
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startNeonEndpoint, type NeonEndpoint } from "../support/neon-endpoint.ts";
import { describedAt } from "../support/openapi.ts";
import { startStack, type Stack } from "../support/stack.ts";

const JSON_TYPE = { "Content-Type": "application/json" };
const good = { customer_name: "John Doe", product_name: "Laptop" };

interface Case {
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
  readonly status: number;
  readonly code: string;
  readonly field?: string;
}

const post = (what: string, body: unknown, field: string): Case => ({
  what,
  method: "POST",
  path: "/api/orders",
  body: typeof body === "string" ? body : JSON.stringify(body),
  status: 422,
  code: "invalid_body",
  field,
});
const atId = (method: string, id: string): Case => ({
  what: `${method} with the id ${id}`,
  method,
  path: `/orders/${id}`,
  ...(method === "PUT" && { body: '{"status":"shipped"}' }),
  status: 400,
  code: "invalid_id",
  field: "id",
});

const cases: readonly Case[] = [
  { ...post("broken JSON", '{"customer_name": "John', ""), status: 400, code: "invalid_json" },
  { ...post("an empty body", "", ""), status: 400, code: "empty_body" },
  {
    ...post("a body of 1 MB", { ...good, product_name: "x".repeat(1_048_576) }, ""),
    status: 413,
    code: "body_too_large",
  },
  {
    ...post("a wrong content type", good, "Content-Type"),
    headers: { "Content-Type": "text/plain" },
    status: 415,
    code: "unsupported_media_type",
  },
  post("wrong types", { customer_name: 7, product_name: ["Laptop"] }, "customer_name"),
  post("an unknown status", { ...good, status: "lost" }, "status"),
  post("a name of 10,000 characters", { ...good, customer_name: "x".repeat(10_000) }, "customer_name"),
  post("NUL in a name", { ...good, product_name: "a\0b" }, "product_name"),
  post("an unknown field", { ...good, colour: "red" }, "colour"),
  ...["abc", "99999999999", "-1"].flatMap((id) => ["GET", "PUT", "DELETE"].map((method) => atId(method, id))),
  { what: "a wrong method", method: "DELETE", path: "/api/orders", status: 405, code: "method_not_allowed" },
  {
    what: "a wrong method on the stream",
    method: "POST",
    path: "/sse",
    status: 405,
    code: "method_not_allowed",
  },
  {
    what: "an unknown status in the list",
    method: "GET",
    path: "/api/orders?status=lost",
    status: 400,
    code: "invalid_query",
    field: "status",
  },
  {
    what: "a limit that is none",
    method: "GET",
    path: "/api/orders?limit=many",
    status: 400,
    code: "invalid_query",
    field: "limit",
  },
  {
    what: "a filter that is none",
    method: "GET",
    path: "/sse?orderIds=a",
    status: 400,
    code: "bad_filter",
    field: "orderIds",
  },
  {
    what: "a position that is none",
    method: "GET",
    path: "/sse?since=yesterday",
    status: 400,
    code: "bad_position",
    field: "since",
  },
  { what: "no upgrade", method: "GET", path: "/ws", status: 426, code: "upgrade_required" },
  {
    what: "no secret",
    method: "POST",
    path: "/internal/changes",
    body: "{}",
    status: 401,
    code: "unauthorized",
  },
  { what: "a path that is none", method: "GET", path: "/api/nothing", status: 404, code: "not_found" },
];

interface Answer {
  readonly status: number;
  readonly type: string | undefined;
  readonly text: string;
}

type Ask = Omit<Case, "what" | "status" | "code">;

/** Sends it, and holds the answer against the description. */
async function send(url: string, ask: Ask): Promise<Answer> {
  const answer = await sendRaw(url, ask);
  const { method, path } = ask;
  const check = await describedAt(url);
  check({ ...answer, method, path: path.replace(/\?.*/, ""), contentType: answer.type ?? null });
  return answer;
}

/** Node's own client: fetch would mend some of what is sent. */
function sendRaw(url: string, { method, path, body, headers }: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      new URL(path, url),
      { method, headers: { ...(body !== undefined && JSON_TYPE), ...headers } },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, type: response.headers["content-type"], text }),
        );
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

let endpoint: NeonEndpoint;
beforeAll(async () => {
  endpoint = await startNeonEndpoint();
});
afterAll(() => endpoint?.close());

describe.each(["pg over TCP", "Neon over HTTP"])("The Worker in workerd, with %s", (adapter) => {
  let stack: Stack;
  beforeAll(async () => {
    const vars = adapter.startsWith("Neon") ? { NEON_FETCH_ENDPOINT: endpoint.url } : {};
    stack = await startStack({ vars, startListener: false });
  });
  afterAll(() => stack?.stop());

  it.each(cases)("refuses $what with $status $code", async ({ status, code, field, ...ask }) => {
    const answer = await send(stack.url, ask);
    expect(answer).toMatchObject({
      status,
      type: expect.stringContaining("application/problem+json") as string,
    });
    const problem = JSON.parse(answer.text) as { issues?: { field: string }[] };
    expect(problem).toMatchObject({ success: false, status, code });
    if (field) expect(problem.issues?.map((issue) => issue.field)).toContain(field);
  });

  it("is none the worse for it: creates, reads, changes, lists, counts and deletes", async () => {
    const ask = async (method: string, path: string, body?: unknown) => {
      const text = body === undefined ? {} : { body: JSON.stringify(body) };
      const answer = await send(stack.url, { method, path, ...text });
      return { status: answer.status, body: JSON.parse(answer.text) as Record<string, unknown> };
    };
    const created = await ask("POST", "/api/orders", { ...good, amount: 12.5 });
    expect(created).toMatchObject({ status: 201, body: { data: { status: "pending", amount: 12.5 } } });
    const { id } = created.body["data"] as { id: number };
    expect(await ask("GET", `/api/orders/${id}`)).toMatchObject({ status: 200, body: { data: { id } } });
    expect(await ask("PUT", `/orders/${id}`, { status: "shipped" })).toMatchObject({
      status: 200,
      body: { data: { id, status: "shipped" } },
    });
    expect(await ask("GET", "/api/orders?status=shipped")).toMatchObject({
      status: 200,
      body: { count: 1, data: [{ id }], snapshot: expect.stringMatching(/^\d+:\d+:/) as string },
    });
    expect(await ask("GET", "/orders/stats")).toMatchObject({
      body: { data: { total_orders: 1, shipped_orders: 1 } },
    });
    expect(await ask("DELETE", `/orders/${id}`)).toMatchObject({ status: 200 });
    const { rows } = await stack.database.client.query("SELECT FROM orders");
    expect(rows).toEqual([]);
    expect(endpoint.statements.length > 0).toBe(adapter.startsWith("Neon"));
    expect(await ask("GET", "/health")).toMatchObject({ status: 200 });
  });
});
