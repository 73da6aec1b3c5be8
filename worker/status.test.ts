import { SignJWT } from "jose";
import { expect, it } from "vitest";
import * as v from "valibot";
import packageJson from "../package.json";
import { call, FakeListener, outboxChange, SECRET, TestSocket } from "../test/support/worker.ts";
import { StatusBody } from "./status.ts";

async function status(search = "", init: RequestInit = {}) {
  const response = await call(`/api/status${search}`, init);
  expect(response.status).toBe(200);
  expect(response.headers.get("Cache-Control")).toBe("no-store");
  return v.parse(StatusBody, await response.json());
}

it("tells position, reach, lag and clients, by region and hub", async () => {
  const listener = new FakeListener();
  await listener.start();
  await listener.deliver(outboxChange(), outboxChange());
  const sockets = [
    await TestSocket.open("?region=weur"),
    await TestSocket.open("?region=weur"),
    await TestSocket.open("?region=oc&shard=1"),
  ];
  for (const socket of sockets) await socket.next("welcome");
  // A hub that has clients already tells of another within a second.
  await expect.poll(async () => (await status()).clients.total, { timeout: 5000 }).toBe(3);
  const body = await status();
  const { position } = body;
  const seq = Number(position.split(".")[1]);
  expect(body).toMatchObject({
    success: true,
    listener: { status: "live", heardAt: expect.any(String), controls: [] },
    clients: { total: 3, regions: { weur: 2, oc: 1 }, hubs: { "weur:0": 2, "oc:1": 1 }, shards: {} },
    history: { changes: seq, oldest: position.replace(/\d+$/, "0"), bytes: expect.any(Number) },
    versions: { rowcast: packageJson.version, protocol: 1, deployment: { id: expect.any(String) } },
  });
  expect(body.cursorAgeMs).toBeLessThan(10_000);
  for (const socket of sockets) socket.close();
});

it("tells a pinned token how the service is, and nothing of how much others do", async () => {
  const listener = new FakeListener();
  await listener.start();
  await listener.deliver(outboxChange(), outboxChange());
  const socket = await TestSocket.open("?region=weur");
  await socket.next("welcome");
  const as = async (filter: object | undefined) => {
    const token = await new SignJWT({ sub: "ada", role: "read", exp: Date.now() / 1000 + 60, filter })
      .setProtectedHeader({ alg: "HS256" })
      .sign(new TextEncoder().encode("test-jwt-secret-0123456789-0123456789"));
    return status("", { headers: { Authorization: `Bearer ${token}` } });
  };
  await expect.poll(async () => (await as(undefined)).clients.total, { timeout: 5000 }).toBe(1);
  const whole = await as(undefined);
  expect(whole.history.changes).toBeGreaterThan(0);
  const pinned = await as({ orders: { customer_name: ["Ada"] } });
  const { status: state, position, listener: seen, database, versions } = whole;
  expect(pinned).toMatchObject({
    status: state,
    position,
    listener: seen,
    database,
    versions,
    lag: { changes: null },
    clients: { total: null, regions: {}, hubs: {}, shards: {} },
    history: { oldest: whole.history.oldest, changes: null, bytes: null, ageMs: null },
  });
  socket.close();
});

it("says so when the database does not answer, and is degraded", async () => {
  // The tests' Worker has no database at all.
  expect(await status("?probe=1")).toMatchObject({
    status: "degraded",
    database: "unreachable",
    lag: { changes: null },
  });
});

it("asks no database whose listeners all sleep", async () => {
  const response = await call("/internal/control", {
    headers: { Authorization: `Bearer ${SECRET}`, Upgrade: "websocket" },
  });
  const socket = response.webSocket;
  if (!socket) throw new Error(`no control socket: ${response.status}`);
  socket.accept();
  socket.send(JSON.stringify({ type: "state", state: "asleep" }));
  await expect
    .poll(async () => (await status()).listener)
    .toMatchObject({ status: "asleep", controls: ["asleep"], heardAt: expect.any(String) });
  expect(await status()).toMatchObject({ status: "ok", database: "asleep", lag: { changes: null } });
  expect(await status("?probe=1")).toMatchObject({ database: "unreachable" });
  socket.close();
});

it("says which request a problem answers and how long it took", async () => {
  const response = await call("/api/status?probe=2");
  expect(response.status).toBe(400);
  expect(response.headers.get("Server-Timing")).toMatch(/total;dur=\d+/);
  const id = response.headers.get("X-Request-Id");
  expect(id).toMatch(/^[\w-]{10,}$/);
  expect(await response.json()).toMatchObject({ code: "invalid_query", request_id: id });
  for (const path of ["/nothing-here", "/api/orders"]) {
    const problem = await call(path, { headers: { "X-Request-Id": "mine-1" } });
    expect(problem.headers.get("X-Request-Id")).toBe("mine-1");
    expect(await problem.json()).toMatchObject({ success: false, request_id: "mine-1" });
  }
});

it("shows where the time went", async () => {
  const response = await call("/api/changes");
  expect(response.headers.get("Server-Timing")).toMatch(/^log;dur=\d+, total;dur=\d+$/);
});
