import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startFakeHub } from "../test/client/fake-hub.ts";
import type { FakeHub } from "../test/client/fake-hub.ts";
import type { Client, ClientEvents, ClientOptions } from "./api.ts";
import { createClient } from "./client.ts";
import type { ConnectionState } from "./public-state.ts";
import type { Transport } from "./states.ts";

let hub: FakeHub;
const clients: Client[] = [];

beforeEach(async () => {
  hub = await startFakeHub();
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await hub.close();
});

/** No waiting between attempts: what is tested here is what they do. */
const IMPATIENT = { random: () => 0 };

function connect(options: Partial<ClientOptions> = {}): Client {
  const client = createClient({ url: hub.url, env: IMPATIENT, ...options });
  clients.push(client);
  return client;
}

function until(
  client: Client,
  name: ConnectionState["name"],
  transport?: Transport,
): Promise<ConnectionState> {
  const fits = (state: ConnectionState): boolean =>
    state.name === name &&
    (transport === undefined || ("transport" in state && state.transport === transport));
  return new Promise((resolve) => {
    const end = client.state.subscribe((state) => {
      if (!fits(state)) return;
      end();
      resolve(state);
    });
    const now = client.state.get();
    if (fits(now)) {
      end();
      resolve(now);
    }
  });
}

function next<K extends keyof ClientEvents>(client: Client, name: K): Promise<ClientEvents[K]> {
  return new Promise((resolve) => {
    const end = client.on(name, (event) => {
      end();
      resolve(event);
    });
  });
}

/** Everything a client is told from now on, and a way to wait for a change by its number. */
function follow(client: Client) {
  const seqs: number[] = [];
  const waiting = new Map<number, () => void>();
  client.on("changes", ({ changes }) => {
    for (const { seq } of changes) {
      seqs.push(seq);
      waiting.get(seq)?.();
    }
  });
  const upTo = (seq: number): Promise<void> =>
    seqs.includes(seq) ? Promise.resolve() : new Promise((resolve) => void waiting.set(seq, resolve));
  return { seqs, upTo };
}

describe.each<Transport>(["websocket", "sse"])("over %s", (transport) => {
  const over = { transports: [transport] };

  test("what is appended is delivered, in order, with the position it leads to", async () => {
    const client = connect(over);
    const { seqs, upTo } = follow(client);
    await until(client, "live", transport);
    hub.append({}, {});
    hub.append({});
    await upTo(3);
    expect(seqs).toEqual([1, 2, 3]);
    expect(client.position).toBe("e.3");
    expect(client.status.get()).toEqual({ connectedClients: 1, listener: "live", lagMs: 2 });
  });

  test("a client that comes with its position gets what it has missed, and is live after that", async () => {
    hub.append({}, {}, {});
    const client = connect({ ...over, since: "e.1" });
    const { seqs } = follow(client);
    await until(client, "live");
    expect(seqs).toEqual([2, 3]);
  });

  test("a connection that is cut is opened again from where it stood: nothing missed, nothing twice", async () => {
    const client = connect(over);
    const { seqs, upTo } = follow(client);
    await until(client, "live");
    hub.append({}, {});
    await upTo(2);
    for (const reader of hub.readers) reader.cut();
    hub.lose({});
    await upTo(3);
    hub.append({});
    await upTo(4);
    expect(seqs).toEqual([1, 2, 3, 4]);
  });

  test("a gap is noticed, told, and healed", async () => {
    const client = connect(over);
    const { seqs, upTo } = follow(client);
    await until(client, "live");
    const gap = next(client, "gap");
    hub.lose({}, {});
    hub.append({});
    expect(await gap).toMatchObject({ expected: "e.0", got: "e.2" });
    await upTo(3);
    expect(seqs).toEqual([1, 2, 3]);
  });

  test("a reset moves the stream to where the server says", async () => {
    const client = connect({ ...over, since: "old.9" });
    await until(client, "live");
    const reset = next(client, "reset");
    for (const reader of hub.readers) reader.send({ type: "reset", reason: "epoch", position: "e.0" });
    expect(await reset).toMatchObject({ reason: "epoch", position: "e.0" });
    const { upTo } = follow(client);
    hub.append({});
    await upTo(1);
    expect(client.position).toBe("e.1");
  });

  test("seen resolves when the change of that transaction has been delivered", async () => {
    const client = connect(over);
    const { seqs } = follow(client);
    await until(client, "live");
    const seen = client.seen("4711");
    hub.append({}, { xid: "4711" });
    await seen;
    expect(seqs).toEqual([1, 2]);
    await client.seen("4711");
  });

  test("the filter goes into the address, and a wider one is in force after subscribe", async () => {
    const client = connect({ ...over, filter: { statuses: ["pending"] } });
    await until(client, "live");
    const [reader] = hub.readers;
    expect(JSON.parse(reader?.query.get("filter") ?? "")).toEqual({ orders: { status: ["pending"] } });
    const told = transport === "sse" ? hub.nextReader() : hub.nextReceived();
    client.subscribe({ statuses: ["shipped"] });
    const answer = await told;
    const filter =
      typeof answer === "string" ? answer : JSON.stringify(JSON.parse(answer.query.get("filter") ?? "{}"));
    expect(JSON.parse(filter)).toEqual(
      transport === "sse"
        ? { orders: { status: ["pending", "shipped"] } }
        : { type: "subscribe", statuses: ["shipped"] },
    );
    const again = hub.nextReader();
    client.reconnect();
    const { query } = await again;
    expect(JSON.parse(query.get("filter") ?? "")).toEqual({ orders: { status: ["pending", "shipped"] } });
  });

  test("a frame that is not JSON ends the connection, and the next one goes on", async () => {
    const client = connect(over);
    await until(client, "live");
    const again = hub.nextReader();
    for (const reader of hub.readers) reader.raw(transport === "sse" ? "event: status\ndata: {\n\n" : "{");
    await again;
    await until(client, "live");
  });

  test("after close there is nobody at the hub, and nothing more is told", async () => {
    const client = connect(over);
    const { seqs } = follow(client);
    await until(client, "live");
    const pending = client.seen("1");
    client.close();
    await expect(pending).rejects.toThrow("closed");
    hub.append({});
    expect(client.state.get()).toEqual({ name: "stopped", reason: "closed" });
    client.reconnect();
    expect(client.state.get().name).toBe("stopped");
    expect(seqs).toEqual([]);
  });

  test("a listener that throws harms neither the stream nor the others", async () => {
    const client = connect(over);
    const uncaught = new Promise((resolve) => {
      const before = process.listeners("uncaughtException");
      process.removeAllListeners("uncaughtException");
      process.once("uncaughtException", (error) => {
        for (const listener of before) process.on("uncaughtException", listener);
        resolve(error);
      });
    });
    client.on("changes", () => {
      throw new Error("mine");
    });
    const { upTo } = follow(client);
    await until(client, "live");
    hub.append({});
    await upTo(1);
    expect(await uncaught).toMatchObject({ message: "mine" });
  });
});

test("told that its token has run out it does not wait for the close: it asks for another, or stops", async () => {
  const expired = { type: "error", code: "token_expired", message: "the token has run out" } as const;
  let asked = 0;
  const client = connect({ transports: ["sse"], token: () => `token-${++asked}` });
  await until(client, "live");
  const again = hub.nextReader();
  for (const reader of hub.readers) reader.send(expired);
  await again;
  await until(client, "live");
  expect(asked).toBe(2);
  client.close();

  const fixed = connect({ transports: ["sse"], token: "the-only-one" });
  await until(fixed, "live");
  for (const reader of hub.readers) reader.send(expired);
  expect(await until(fixed, "stopped")).toEqual({
    name: "stopped",
    reason: "the token has run out",
    forbidden: true,
  });
});

test("where WebSockets are refused, SSE carries the stream", async () => {
  hub.refuseWebSocket = true;
  const client = connect();
  await until(client, "live", "sse");
  const batch = next(client, "changes");
  hub.append({});
  expect(await batch).toMatchObject({ transport: "sse", from: "e.0", position: "e.1" });
});

test("where there is no WebSocket, as in Node 20, SSE carries it, without what only newer runtimes have", async () => {
  const { withResolvers } = Promise;
  const missing = { value: undefined, configurable: true, writable: true };
  Object.defineProperty(Promise, "withResolvers", missing);
  try {
    const client = connect({ env: { ...IMPATIENT, WebSocket: undefined as never } });
    await until(client, "live", "sse");
    const seen = client.seen("701");
    hub.append({});
    await seen;
    expect(() => connect({ transports: ["websocket"], env: { WebSocket: undefined as never } })).toThrow(
      "this runtime has no WebSocket",
    );
  } finally {
    Object.defineProperty(Promise, "withResolvers", { ...missing, value: withResolvers });
  }
});

test("says how old the newest change of a batch was when it came, once it knows the database's clock", async () => {
  const now = Date.parse("2026-11-20T10:00:30Z");
  const client = connect({ env: { ...IMPATIENT, now: () => now } });
  await until(client, "live");
  const unknown = next(client, "changes");
  hub.append({ timestamp: "2026-11-20T10:00:00Z" });
  await unknown;
  expect(client.latency.get()).toBeNull();
  // the database's clock is 28 s behind ours, and the question took 200 ms
  client.clock({ sentAt: now - 200, receivedAt: now, serverTime: now - 100 - 28_000 });
  const known = next(client, "changes");
  hub.append({ timestamp: "2026-11-20T09:00:00Z" }, { timestamp: "2026-11-20T10:00:01.500000Z" });
  await known;
  expect(client.latency.get()).toBe(500);
});

test("from SSE it goes back to WebSocket when one speaks again, without losing or doubling a change", async () => {
  hub.refuseWebSocket = true;
  // Twenty times as fast: the first try beside SSE comes after three seconds.
  const SPEED = 20;
  const env = {
    random: () => 0,
    now: () => Date.now() * SPEED,
    setTimeout: (callback: () => void, ms: number) => setTimeout(callback, ms / SPEED),
    clearTimeout: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout),
  };
  const client = connect({ env });
  const { seqs, upTo } = follow(client);
  await until(client, "live", "sse");
  hub.append({});
  hub.refuseWebSocket = false;
  const beat = setInterval(() => {
    for (const reader of hub.readers) if (reader.transport === "sse") reader.raw(": still here\n\n");
  }, 200);
  await until(client, "live", "websocket");
  clearInterval(beat);
  hub.append({});
  await upTo(2);
  expect(seqs).toEqual([1, 2]);
});

test("an SSE stream that is refused for good says why and stops", async () => {
  hub.refuseSse = { status: 403, detail: "this origin may not read" };
  const client = connect({ transports: ["sse"] });
  const state = await until(client, "stopped");
  expect(state).toMatchObject({ reason: "no event stream but HTTP 403: this origin may not read" });
});

test("an SSE stream that is refused for a while is asked for again when that is over", async () => {
  hub.refuseSse = { status: 429, detail: "too many", headers: { "retry-after": "60" } };
  const client = connect({ transports: ["sse"], env: { random: () => 0, now: () => 1_000 } });
  expect(await until(client, "waiting")).toMatchObject({
    retryAt: 61_000,
    reason: "no event stream but HTTP 429: too many",
  });
});

test("a close code that forbids stops it with the server's reason", async () => {
  const client = connect();
  await until(client, "live");
  for (const reader of hub.readers) reader.end(4403, "not yours");
  expect(await until(client, "stopped")).toMatchObject({ reason: "not yours" });
});

test("acks tell the hub how far the client is", async () => {
  const client = connect();
  await until(client, "live");
  const ack = hub.nextReceived();
  hub.append({ data: { id: 1, note: "x".repeat(300) } });
  expect(JSON.parse(await ack)).toEqual({ type: "ack", position: "e.1" });
});

test("wrong options are refused at once, in words", () => {
  expect(() => connect({ since: "yesterday" })).toThrow("not a position: yesterday");
  expect(() => connect({ url: "ftp://here" })).toThrow("http://");
});
