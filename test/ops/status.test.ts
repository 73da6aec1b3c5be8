/** `/api/status` of the whole: what waits in a real database, and when that is not asked. Logs and times beside it. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { fetchDescribed } from "../support/openapi.ts";
import { startStack, type Stack } from "../support/stack.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    vars: { LOG_REQUESTS: "all", FALLBACK_AFTER_MS: "500" },
    listener: { KEEPALIVE_MS: "100" }, // or it would be taken for gone when a test takes longer than that
  });
});
afterAll(() => stack?.stop());

interface Status {
  readonly status: string;
  readonly position: string;
  readonly listener: { status: string; heardAt: string | null };
  readonly lag: { changes: number | null; ms: number | null };
  readonly database: string;
}

async function status(search = ""): Promise<Status> {
  const response = await fetchDescribed(`${stack.url}/api/status${search}`);
  expect(response.status).toBe(200);
  return (await response.json()) as Status;
}

const insert = (count: number) =>
  stack.database.client.query(
    `INSERT INTO orders (customer_name, product_name) SELECT 'a', 'b' FROM generate_series(1, ${count})`,
  );

test("with a listener it asks how much waits: nothing, once all is delivered", async () => {
  await insert(2);
  await expect.poll(async () => (await status("?probe=1")).position.split(".")[1]).toBe("2");
  expect(await status("?probe=1")).toMatchObject({
    status: "ok",
    lag: { changes: 0, ms: expect.any(Number) as number },
    database: "awake",
  });
});

test("an answer says where its time went, and its log line which request it was", async () => {
  const response = await fetchDescribed(`${stack.url}/api/orders`, {
    headers: { "X-Request-Id": "a-request" },
  });
  expect(response.headers.get("Server-Timing")).toMatch(/^db;dur=\d+, total;dur=\d+$/);
  expect(response.headers.get("X-Request-Id")).toBe("a-request");
  await expect.poll(() => stack.logs()).toMatch(/"event":"request","requestId":"a-request","method":"GET"/);
});

test("with none, and nobody watching, it lets the database sleep unless it is told to ask", async () => {
  await stack.killListener();
  await insert(3);
  await expect.poll(async () => (await status()).listener.status).toBe("down");
  expect(await status()).toMatchObject({ status: "degraded", lag: { changes: null }, database: "not_asked" });
  expect(await status("?probe=1")).toMatchObject({ lag: { changes: 3 }, database: "awake" });
});
