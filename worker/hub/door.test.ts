import { evictDurableObject, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { createParser } from "eventsource-parser";
import { SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { call, FakeListener, outboxChange, TestSocket } from "../../test/support/worker.ts";
import { hub } from "../objects.ts";
import { MAX_FILTER_BYTES, MAX_PIN_BYTES, filterBytes, pack, unpack } from "./attachment.ts";
import { WINDOW } from "./flow.ts";

const HERE = { region: "enam", level: 0, shard: 0 } as const;
const SECRET = "test-jwt-secret-0123456789-0123456789";
let listener: FakeListener;

beforeEach(async () => {
  listener = new FakeListener();
  await listener.start();
});
afterEach(() => reset());

async function authorize(
  claims: Record<string, unknown> = {},
  seconds = 60,
): Promise<{ Authorization: string }> {
  const token = await new SignJWT({
    sub: "ada",
    role: "read",
    exp: Math.floor(Date.now() / 1000) + seconds,
    ...claims,
  })
    .setProtectedHeader({ alg: "HS256" })
    .sign(new TextEncoder().encode(SECRET));
  return { Authorization: `Bearer ${token}` };
}

async function open(headers: HeadersInit): Promise<TestSocket> {
  const response = await call("/api/ticket", { method: "POST", headers });
  const { ticket } = await response.json<{ ticket: string }>();
  return TestSocket.open(`?ticket=${encodeURIComponent(ticket)}`);
}

const order = (customer_name: string) => outboxChange({ data: { id: 1, customer_name, status: "pending" } });
/** As many two-byte characters as make a filter of so many bytes, in values that are short enough. */
const wide = (bytes: number, own: string): string[] => {
  const values = Array.from(
    { length: Math.floor((bytes - 100) / 403) },
    (_, i) => `${"é".repeat(197)}${i + 100}`,
  );
  return [own, ...values];
};

describe("a token that runs out", () => {
  it("closes its socket with 4401 though the hub has lost its memory", async () => {
    const socket = await open(await authorize({}, 2));
    await socket.next("welcome");
    await evictDurableObject(hub(env, HERE), { webSockets: "hibernate" });
    expect(await socket.whenClosed()).toEqual({ code: 4401, reason: "token expired" });
  });

  it("ends the events with the reason", async () => {
    const response = await call("/sse", { headers: await authorize({}, 2) });
    const codes: unknown[] = [];
    const parser = createParser({
      onEvent: ({ event, data }) => {
        if (event === "problem") codes.push((JSON.parse(data) as { code: string }).code);
      },
    });
    parser.feed(await response.text());
    expect(codes).toEqual(["token_expired"]);
  });
});

describe("sockets beyond the cap", () => {
  it("are refused also when all knock at the same moment", async () => {
    const headers = { ...(await authorize({ sub: "many" })), Upgrade: "websocket" };
    const answers = await Promise.all(Array.from({ length: 60 }, () => call("/ws", { headers })));
    expect(answers.filter(({ status }) => status === 101)).toHaveLength(50);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(10);
    for (const { webSocket } of answers) {
      webSocket?.accept();
      webSocket?.close();
    }
  });

  it("are counted after the hub has lost its memory, and not after they have closed", async () => {
    const headers = { ...(await authorize({ sub: "many" })), Upgrade: "websocket" };
    const first = await Promise.all(Array.from({ length: 50 }, () => call("/ws", { headers })));
    for (const { webSocket } of first) webSocket?.accept();
    await evictDurableObject(hub(env, HERE), { webSockets: "hibernate" });
    const refused = await call("/ws", { headers });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(0);
    const watcher = await TestSocket.open();
    for (const { webSocket } of first) webSocket?.close();
    let { connectedClients } = await watcher.next("status");
    while (connectedClients !== 1) ({ connectedClients } = await watcher.next("status"));
    const again = await call("/ws", { headers });
    expect(again.status).toBe(101);
    again.webSocket?.accept();
    again.webSocket?.close();
  });
});

describe("the widest pin and filter", () => {
  it("are carried through hibernation", async () => {
    const pin = { orders: { customer_name: wide(MAX_PIN_BYTES, "Ada") } };
    const statuses = wide(MAX_FILTER_BYTES, "pending");
    const socket = await open(await authorize({ filter: pin }));
    await socket.next("welcome");
    socket.send({ type: "subscribe", statuses });
    expect((await socket.next("subscribed")).filter).toEqual({ orders: { status: statuses } });
    await evictDurableObject(hub(env, HERE), { webSockets: "hibernate" });
    await listener.deliver(
      order("Eve"),
      outboxChange({ data: { id: 2, customer_name: "Ada", status: "shipped" } }),
      order("Ada"),
    );
    expect(await socket.changes(1)).toMatchObject([{ seq: 3, data: { customer_name: "Ada" } }]);
    socket.close();
  });

  it("fit, with a full window under way, into what a socket may carry", () => {
    const steps = Array.from({ length: 17 }, () => ({ seq: 2 ** 50, bytes: WINDOW.bytes, changes: 1000.5 }));
    const attachment = {
      id: crypto.randomUUID(),
      bearer: {
        holder: `subject ${"é".repeat(255)}\u20ac`,
        pin: { orders: { customer_name: wide(MAX_PIN_BYTES, "Ada") } },
        expiresAt: Date.now(),
        address: "0123456789abcdef",
      },
      filter: { orders: { status: wide(MAX_FILTER_BYTES, "pending") } },
      connectedAt: Date.now(),
      lean: true,
      fold: true,
      flow: { mode: "behind", sent: 2 ** 50, framed: 2 ** 50, underWay: steps },
    } as const;
    expect(filterBytes(attachment.bearer.pin)).toBeGreaterThan(MAX_PIN_BYTES - 500);
    const { 0: theirs, 1: socket } = new WebSocketPair();
    theirs.accept();
    socket.accept();
    socket.serializeAttachment(pack(attachment));
    expect(unpack(socket.deserializeAttachment())).toEqual(attachment);
  });

  it("may not be wider, and it is said before the upgrade", async () => {
    const filter = JSON.stringify({ orders: { status: wide(MAX_FILTER_BYTES + 600, "pending") } });
    const response = await call(`/ws?filter=${encodeURIComponent(filter)}`, {
      headers: { Upgrade: "websocket" },
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "bad_filter", issues: [{ field: "filter" }] });
    const pin = { orders: { customer_name: wide(MAX_PIN_BYTES + 600, "Ada") } };
    const refused = await call("/api/ticket", { method: "POST", headers: await authorize({ filter: pin }) });
    expect(refused.status).toBe(401);
    expect(await refused.text()).toContain("too large");
  });

  it("of what is no attachment of ours is nothing", () => {
    for (const value of [null, undefined, {}, { id: "a", bearer: {}, filter: null }])
      expect(unpack(value)).toBeNull();
  });
});
