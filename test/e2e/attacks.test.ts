/**
 * Attacks on the whole, over real HTTP and real sockets, where nobody may do anything without a token. Nothing gets in,
 * nothing is a 500, nothing secret comes out, and the Worker goes on answering. SECURITY.md says what each is for.
 */
import fc from "fast-check";
import { SignJWT } from "jose";
import { once } from "node:events";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { fetchDescribed } from "../support/openapi.ts";
import { startStack, type Stack } from "../support/stack.ts";

const JWT_SECRET = "a-secret-for-these-tests-0123456789";
/** Of one token (wrangler.toml). */
const MAX_SOCKETS = 50;
const SECRETS = /a-secret-for-these|stack-ingest-secret|rowcast_api:|password/i;

let stack: Stack;
let reader: Record<string, string>;
let writer: Record<string, string>;
let before: number;
beforeAll(async () => {
  stack = await startStack({ vars: { ANONYMOUS: "none", JWT_SECRET } });
  reader = await bearer({ role: "read" });
  writer = await bearer({ role: "write" });
  await stack.database.client.query(
    "INSERT INTO orders (customer_name, product_name) VALUES ('Ada', 'Lamp')",
  );
  before = await orders();
});
afterAll(() => stack?.stop());

async function bearer(claims: object): Promise<Record<string, string>> {
  const token = await new SignJWT({ sub: "eve", exp: Math.floor(Date.now() / 1000) + 600, ...claims })
    .setProtectedHeader({ alg: "HS256" })
    .sign(new TextEncoder().encode(JWT_SECRET));
  return { Authorization: `Bearer ${token}` };
}

async function orders(): Promise<number> {
  const { rows } = await stack.database.client.query<{ n: number }>("SELECT count(*)::int AS n FROM orders");
  return rows[0]?.n ?? -1;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

/** The start of an answer: of a stream, that it is one. */
async function send(method: string, path: string, headers = {}, body?: string | Uint8Array): Promise<Answer> {
  const abort = new AbortController();
  const response = await fetchDescribed(stack.url + path, {
    method,
    headers,
    signal: abort.signal,
    ...(body !== undefined && { body: body as BodyInit }),
  });
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
  const text = isStream ? "" : await response.text();
  if (isStream) abort.abort();
  return { status: response.status, text, headers: response.headers };
}

/** No attack is our fault, gives anything away, or is answered as anything that a browser would run. */
function expectHarmless({ status, text, headers }: Answer): void {
  expect(status).toBeLessThan(500);
  expect(text).not.toMatch(SECRETS);
  expect(text).not.toMatch(/\bat .+\.ts:\d+|node_modules|SQLSTATE|syntax error/i);
  if (text !== "") expect(headers.get("content-type")).toMatch(/json|event-stream/);
  expect(headers.get("x-content-type-options")).toBe("nosniff");
}

const INJECTIONS = [
  "' OR '1'='1",
  "'; DROP TABLE orders; --",
  "1; SELECT pg_sleep(10)",
  "1) UNION SELECT * FROM rowcast.changes --",
  "$1",
  "\\'; TRUNCATE orders; --",
  "%' AND 1=CAST((SELECT version()) AS int)--",
  "<script>alert(1)</script>",
  "javascript:alert(1)",
  "{{7*7}}${7*7}",
  "../../../../etc/passwd",
  "..%2f..%2fetc%2fpasswd",
  "\r\nSet-Cookie: a=b",
  "__proto__",
  "constructor",
  "\u0000",
  "\ud800",
  "9".repeat(400),
  "a".repeat(5_000),
  "-1e309",
];

describe("Without a token", () => {
  it.each([
    ["GET", "/api/orders"],
    ["GET", "/orders"],
    ["GET", "/api/orders/1"],
    ["GET", "/api/orders/stats"],
    ["HEAD", "/api/orders"],
    ["POST", "/api/orders"],
    ["PUT", "/api/orders/1"],
    ["PATCH", "/orders/1"],
    ["DELETE", "/api/orders/1"],
    ["PATCH", "/api/orders/bulk-status"],
    ["GET", "/api/changes"],
    ["GET", "/api/status"],
    ["POST", "/api/probe"],
    ["GET", "/api/changes/abc/0-1"],
    ["GET", "/sse"],
    ["POST", "/api/ticket"],
    ["GET", "/internal/changes"],
    ["POST", "/internal/changes"],
    ["GET", "/internal/control"],
    ["GET", "/internal/anything"],
  ])("%s %s is closed", async (method, path) => {
    for (const headers of [{}, { "X-Forwarded-User": "admin" }, { "X-Rowcast-Bearer": '{"pin":null}' }]) {
      const answer = await send(method, path, headers);
      expect([401, 404]).toContain(answer.status);
      expectHarmless(answer);
    }
  });

  it.each([
    "/api/%6frders",
    "//api/orders",
    "/api//orders",
    "/API/ORDERS",
    "/api/orders/",
    "/api/orders/%2e%2e/orders",
  ])("%s is no way around", async (path) => {
    const answer = await send("GET", path);
    expect(answer.text).not.toContain("Ada");
    expect(answer.status).toBeGreaterThanOrEqual(400);
  });
});

describe("Probing", () => {
  it("is for those who may write, and shows whoever is pinned nothing but the probe", async () => {
    expect((await send("POST", "/api/probe", reader)).status).toBe(403);
    const pinned = await bearer({ role: "write", filter: { orders: { customer_name: ["Nobody"] } } });
    const [answer] = await Promise.all([
      send("POST", "/api/probe", pinned),
      stack.database.client.query("UPDATE orders SET status = 'shipped'"),
    ]);
    expect(answer.status).toBe(200);
    expect(answer.text).not.toContain("Ada");
    expectHarmless(answer);
  });

  it("holds no more streams than its caller may", async () => {
    const many = await bearer({ role: "write", sub: "many" });
    const sockets = await Promise.all(
      Array.from({ length: MAX_SOCKETS }, async () => {
        const socket = new WebSocket(`${stack.url.replace("http", "ws")}/ws`, { headers: many });
        await once(socket, "open");
        return socket;
      }),
    );
    const answer = await send("POST", "/api/probe", many);
    for (const socket of sockets) socket.terminate();
    expect(answer.status).toBe(429);
    expect(answer.text).toContain("too_many_sockets");
  });
});

describe("Injections", () => {
  it.each(INJECTIONS.map((text) => [text.slice(0, 40), text]))(
    "%j do nothing anywhere",
    async (_name, text) => {
      const q = encodeURIComponent(text.isWellFormed() ? text : "\ufffd");
      const answers = [
        await send("GET", `/api/orders?customer_name=${q}`, reader),
        await send("GET", `/api/orders?status=${q}`, reader),
        await send("GET", `/api/orders?limit=${q}&offset=${q}`, reader),
        await send("GET", `/api/orders?before=${q}&total=${q}`, reader),
        await send("GET", `/api/orders/${q}`, reader),
        await send("GET", `/api/changes?since=${q}`, reader),
        await send("GET", `/api/changes?filter=${q}`, reader),
        await send("GET", `/sse?tables=${q}`, reader),
        await send("GET", `/sse?since=${q}&region=${q}`, reader),
        await send("GET", `/sse?ticket=${q}`),
        await send("POST", `/api/probe?wait_ms=${q}`, reader),
        await send("GET", `/api/changes/${q}/0-1`, reader),
        await send(
          "PUT",
          "/api/orders/1",
          { ...writer, "Content-Type": "application/json" },
          JSON.stringify({ [text]: 1, status: text }),
        ),
        await send(
          "PATCH",
          "/api/orders/bulk-status",
          { ...writer, "Content-Type": "application/json" },
          JSON.stringify({ order_ids: [text], status: "shipped" }),
        ),
        await send(
          "POST",
          "/api/orders",
          { ...writer, "Content-Type": "application/json" },
          JSON.stringify({ customer_name: text }),
        ),
      ];
      for (const answer of answers) expectHarmless(answer);
      expect(await orders()).toBe(before);
    },
  );

  it("as a name is kept and shown as the text that it is", async () => {
    const name = "<script>alert(1)</script>'; DROP TABLE orders; --";
    const body = JSON.stringify({ customer_name: name, product_name: name });
    const answer = await send("POST", "/api/orders", { ...writer, "Content-Type": "application/json" }, body);
    expect(answer.status).toBe(201);
    expectHarmless(answer);
    const { id, customer_name } = (JSON.parse(answer.text) as { data: { id: number; customer_name: string } })
      .data;
    expect(customer_name).toBe(name);
    expect((await send("DELETE", `/api/orders/${id}`, writer)).status).toBe(200);
  });
});

describe("Made-up requests", () => {
  const json = { "Content-Type": "application/json" };

  it("of any shape are answered below 500", async () => {
    const path = fc.constantFrom(
      "/api/orders",
      "/api/orders/2147483647",
      "/api/orders/bulk-status",
      "/internal/changes",
      "/api/ticket",
      "/sse",
      "/api/changes",
      "/api/status",
    );
    const method = fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS");
    const body = fc.oneof(
      fc.json(),
      fc.string({ unit: "binary" }),
      fc.constant(""),
      fc.constant("[".repeat(20_000)),
    );
    const query = fc.string({ maxLength: 60 }).map(encodeURIComponent);
    await fc.assert(
      fc.asyncProperty(path, method, body, query, fc.boolean(), async (path, method, body, query, known) => {
        const headers = {
          ...json,
          ...(known && writer),
          ...(path.startsWith("/internal") && { Authorization: "Bearer stack-ingest-secret-0123456789" }),
        };
        const answer = await send(
          method,
          `${path}?a=${query}&filter=${query}&limit=${query}`,
          headers,
          ["GET"].includes(method) ? undefined : body,
        );
        expectHarmless(answer);
      }),
      { numRuns: 150 },
    );
    const { rows } = await stack.database.client.query("SELECT 1 FROM orders WHERE customer_name = 'Ada'");
    expect(rows.length).toBe(1);
  });

  /** A body without a length, 10 kB at a time; one that does not end keeps its connection open. */
  function sendChunks(count: number, { end = true } = {}): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = new URL(stack.url);
      const chunked = request(
        { hostname, port, path: "/api/orders", method: "POST", headers: { ...writer, ...json } },
        (response) => {
          response.resume();
          resolve(response.statusCode);
          if (!end) chunked.destroy();
        },
      );
      chunked.on("error", reject);
      for (let i = 0; i < count; i += 1) chunked.write("x".repeat(10_000));
      if (end) chunked.end();
    });
  }

  it("that are too large are refused before they are read whole, and whoever sends them reads that", async () => {
    const huge = "x".repeat(3_000_000);
    const big = await send(
      "POST",
      "/api/orders",
      { ...writer, ...json },
      JSON.stringify({ customer_name: huge }),
    );
    expect(big.status).toBe(413);
    expect(await sendChunks(40)).toBe(413);
    expect(await sendChunks(300)).toBe(413);
    expect(await sendChunks(10, { end: false })).toBe(413);
    const filter = JSON.stringify({ orders: { id: Array.from({ length: 2_000 }, (_, i) => i) } });
    expectHarmless(await send("GET", `/sse?filter=${encodeURIComponent(filter)}`, reader));
  });
});

describe("Forged and replayed deliveries", () => {
  const deliver = (headers: Record<string, string>, body: object): Promise<Answer> =>
    send(
      "POST",
      "/internal/changes",
      { ...headers, "Content-Type": "application/json" },
      JSON.stringify(body),
    );
  const listener = { Authorization: "Bearer stack-ingest-secret-0123456789" };
  const change = {
    id: "1",
    xid: "1",
    table: "orders",
    operation: "INSERT",
    key: { id: 666 },
    data: { id: 666, customer_name: "Mallory" },
    old: null,
    timestamp: "2026-11-21T00:00:00.000000Z",
  };

  it("are refused without the secret, whatever is shown instead", async () => {
    const ticket = (JSON.parse((await send("POST", "/api/ticket", writer)).text) as { ticket: string })
      .ticket;
    for (const headers of [
      {},
      writer,
      { Authorization: `Bearer ${ticket}` },
      { Authorization: "Bearer " },
      { Authorization: "Bearer stack-ingest-secret-012345678" },
    ])
      expect((await deliver(headers, {})).status).toBe(401);
  });

  it("are refused when they do not begin where the log stands: a replayed one never does", async () => {
    const state = JSON.parse((await send("GET", "/internal/changes", listener)).text) as {
      source: string;
      cursor: string;
      position: string;
    };
    await stack.database.client.query("UPDATE orders SET amount = 1 WHERE customer_name = 'Ada'");
    await expect
      .poll(
        async () =>
          (JSON.parse((await send("GET", "/internal/changes", listener)).text) as { position: string })
            .position,
      )
      .not.toBe(state.position);
    const replayed = await deliver(listener, {
      source: state.source,
      from: state.cursor,
      to: "9:9:",
      changes: [change],
    });
    expect(replayed.status).toBe(409);
    const history = await send("GET", `/api/changes?since=${state.position}`, reader);
    expect(history.text).not.toContain("Mallory");
  });
});

describe("Streams", () => {
  const sockets: WebSocket[] = [];
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.terminate();
  });
  const open = (headers: Record<string, string>, search = ""): WebSocket => {
    const socket = new WebSocket(`${stack.url.replace("http", "ws")}/ws${search}`, { headers });
    socket.on("error", () => undefined);
    sockets.push(socket);
    return socket;
  };
  const refusedWith = (socket: WebSocket): Promise<number> =>
    new Promise((resolve, reject) => {
      socket.on("unexpected-response", (_request, response) => resolve(response.statusCode ?? 0));
      socket.on("open", () => reject(new Error("it was let in")));
    });

  it("are closed to other sites, to nobody, and to used tickets", async () => {
    expect(await refusedWith(open({ ...reader, Origin: "https://evil.example" }))).toBe(403);
    expect(await refusedWith(open({ ...reader, Origin: "null" }))).toBe(403);
    expect(await refusedWith(open({}))).toBe(401);
    const { ticket } = JSON.parse((await send("POST", "/api/ticket", reader)).text) as { ticket: string };
    await once(open({}, `?ticket=${ticket}`), "open");
    expect(await refusedWith(open({}, `?ticket=${ticket}`))).toBe(401);
  });

  it("answer frames of any kind with an error or a close code, and live on", async () => {
    const frame = fc.oneof(
      fc.json(),
      fc.string({ unit: "binary", maxLength: 200 }),
      fc
        .record({
          type: fc.constantFrom("subscribe", "unsubscribe", "ack", "nothing"),
          orderIds: fc.anything(),
          tables: fc.jsonValue(),
          position: fc.jsonValue(),
        })
        .map(
          (value) =>
            JSON.stringify(value, (_key, each: unknown) =>
              typeof each === "bigint" ? String(each) : each,
            ) ?? "{}",
        ),
    );
    const socket = open(reader);
    await once(socket, "open");
    const texts = fc.sample(frame, { numRuns: 300, seed: 42 });
    for (const text of texts) socket.send(text);
    for (const text of [
      '{"type":"subscribe","tables":{"__proto__":{}}}',
      "ping",
      "{",
      "[]",
      "null",
      '{"type":"ack","position":"a.-1"}',
    ])
      socket.send(text);
    socket.send(Buffer.from([0, 255, 1]));
    socket.send("ping");
    await new Promise<void>((resolve, reject) => {
      let pongs = 0;
      socket.on("message", (data: Buffer) => {
        if (data.toString().startsWith("pong") && (pongs += 1) === 2) resolve();
      });
      socket.on("close", (code) => reject(new Error(`closed with ${code}`)));
    });
    socket.removeAllListeners("close");
    socket.send("x".repeat(100_000));
    const [code] = (await once(socket, "close")) as [number];
    expect(code).toBe(4413);
  });
});

describe("Slow and many connections", () => {
  it("that never finish their request keep nobody else waiting", async () => {
    const { hostname, port } = new URL(stack.url);
    const half: Socket[] = [];
    try {
      for (let i = 0; i < 200; i += 1) {
        const socket = connect(Number(port), hostname);
        socket.on("error", () => undefined);
        await once(socket, "connect");
        socket.write("POST /api/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\nX-Slow: ");
        half.push(socket);
      }
      for (const socket of half) socket.write("a");
      expect((await send("GET", "/api/orders", reader)).status).toBe(200);
    } finally {
      for (const socket of half) socket.destroy();
    }
  });
});

it("In the end the Worker answers, the orders are what they were, and nothing secret is in the logs", async () => {
  expect((await send("GET", "/health")).status).toBe(200);
  expect(await orders()).toBeGreaterThanOrEqual(before);
  expect(stack.logs()).not.toMatch(SECRETS);
});
