import { evictDurableObject, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Change } from "../../protocol/change.ts";
import type { OutboxChange } from "../../protocol/ingest.ts";
import { fromLean } from "../../protocol/lean.ts";
import { call, FakeListener, outboxChange, TestSocket } from "../../test/support/worker.ts";
import { hub } from "../objects.ts";

let listener: FakeListener;

beforeEach(async () => {
  listener = new FakeListener();
  await listener.start();
});
afterEach(() => reset());

/** Reads events one by one; what is not asked for stays in the response, as with a slow reader. */
class Events {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  readonly #queue: EventSourceMessage[] = [];
  readonly #parser = createParser({ onEvent: (event) => void this.#queue.push(event) });

  constructor(response: Response) {
    if (!response.body) throw new Error("no body");
    this.#reader = response.body.getReader();
  }

  static async open(search = "", headers: Record<string, string> = {}): Promise<Events> {
    const response = await call(`/sse${search}`, { headers });
    expect(response.headers.get("Content-Type")).toContain("text/event-stream");
    expect(response.headers.get("Content-Encoding")).toBe("identity");
    return new Events(response);
  }

  async next(name: string): Promise<EventSourceMessage> {
    for (;;) {
      const event = this.#queue.shift();
      if (event?.event === name) return event;
      if (event !== undefined) continue;
      const { value, done } = await this.#reader.read();
      if (done) throw new Error("the stream ended");
      this.#parser.feed(this.#decoder.decode(value, { stream: true }));
    }
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}

describe("/sse", () => {
  it("spreads out when its readers come back", async () => {
    const retries = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const response = await call("/sse");
        const reader = response.body?.getReader();
        const text = new TextDecoder().decode((await reader?.read())?.value);
        await reader?.cancel();
        return Number(/^retry: ([0-9]+)\n\n/.exec(text)?.[1]);
      }),
    );
    expect(new Set(retries).size).toBeGreaterThan(1);
    expect(Math.min(...retries)).toBeGreaterThanOrEqual(1_500);
    expect(Math.max(...retries)).toBeLessThanOrEqual(4_500);
  });

  it("tells a filtered reader how far it is when a batch ends with changes that are not for it", async () => {
    const events = await Events.open("?orderIds=1");
    const { id = "" } = await events.next("welcome");
    await listener.deliver(
      outboxChange({ data: { id: 1 } }),
      outboxChange({ data: { id: 2 } }),
      outboxChange({ data: { id: 3 } }),
    );
    expect((await events.next("orders:insert")).id).toBe(id.replace(/0$/, "1"));
    expect((await events.next("position")).id).toBe(id.replace(/0$/, "3"));
    await events.cancel();
  });

  it("sends one event a change, named by table and operation, with its position as id", async () => {
    const events = await Events.open();
    const welcome = await events.next("welcome");
    expect(welcome.id).toMatch(/\.0$/);
    await listener.deliver(
      outboxChange({ data: { id: 1, big: "ü\n" } }),
      outboxChange({ operation: "UPDATE", old: { status: "pending" } }),
    );
    const insert = await events.next("orders:insert");
    expect(insert.id).toBe(welcome.id?.replace(/0$/, "1"));
    expect((JSON.parse(insert.data) as Change).data).toEqual({ id: 1, big: "ü\n" });
    expect((await events.next("orders:update")).id).toBe(welcome.id?.replace(/0$/, "2"));
    await events.cancel();
  });

  it("goes on after the last event that the browser names, which is newer than the address", async () => {
    const first = await Events.open();
    const { id } = await first.next("welcome");
    await first.cancel();
    await listener.deliver(outboxChange(), outboxChange(), outboxChange());
    const second = await Events.open(`?since=${id}`, { "Last-Event-ID": id?.replace(/0$/, "2") ?? "" });
    const event = await second.next("orders:insert");
    expect((JSON.parse(event.data) as Change).seq).toBe(3);
    await second.cancel();
  });

  it("tells a client from another epoch to reload", async () => {
    const events = await Events.open("?since=elsewhere.3");
    const event = await events.next("reset");
    expect(JSON.parse(event.data)).toMatchObject({ reason: "epoch" });
    await events.cancel();
  });

  it("moves the id past what the filter holds back", async () => {
    const events = await Events.open("?statuses=shipped");
    const { id } = await events.next("welcome");
    await listener.deliver(outboxChange(), outboxChange());
    const position = await events.next("position");
    expect(position.id).toBe(id?.replace(/0$/, "2"));
    await events.cancel();
  });

  it("is held back by its reader and loses nothing", async () => {
    const events = await Events.open();
    await events.next("welcome");
    const big = "x".repeat(100_000);
    for (let i = 0; i < 30; i += 1) await listener.deliver(outboxChange({ data: { id: i, name: big } }));
    const seqs: number[] = [];
    while (seqs.length < 30) seqs.push((JSON.parse((await events.next("orders:insert")).data) as Change).seq);
    expect(seqs).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
    await events.cancel();
  });

  it("lets go of its hub when the reader leaves", async () => {
    const events = await Events.open();
    await events.next("welcome");
    const other = await Events.open();
    let status = JSON.parse((await other.next("status")).data) as { connectedClients: number };
    while (status.connectedClients !== 2)
      status = JSON.parse((await other.next("status")).data) as typeof status;
    await events.cancel();
    while (status.connectedClients !== 1)
      status = JSON.parse((await other.next("status")).data) as typeof status;
    await other.cancel();
  });
});

describe("lean frames", () => {
  /** What one statement did to several orders. */
  const statement = (): OutboxChange[] =>
    [1, 2, 3].map((id) => outboxChange({ xid: "812", key: { id }, data: { id, status: "new" } }));
  const LEAN = [["seq", "xid", "table", "operation", "key", "data", "timestamp"], ["data"], ["data"]];
  const names = (changes: readonly object[]): string[][] => changes.map((change) => Object.keys(change));

  it("come to those who ask for them, live and behind, also when their hub has slept; others get whole changes", async () => {
    const [lean, whole] = [await TestSocket.open("?lean=1"), await TestSocket.open()];
    const { position } = await whole.next("welcome");
    await listener.deliver(...statement());
    expect(names(await lean.changes(3))).toEqual(LEAN);
    const changes = await whole.changes(3);
    expect(changes.every((change) => "key" in change && "old" in change && "table" in change)).toBe(true);

    await evictDurableObject(hub(env, { region: "enam", level: 0, shard: 0 }), { webSockets: "hibernate" });
    await listener.deliver(...statement());
    expect(names(await lean.changes(3))).toEqual(LEAN);
    expect((await whole.changes(3))[2]).toMatchObject({ seq: 6, key: { id: 3 } });

    const late = await TestSocket.open(`?lean=1&since=${position}`);
    const missed = fromLean(await late.changes(6));
    expect(missed.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(missed.slice(0, 3)).toEqual(changes);
    for (const socket of [lean, whole, late]) socket.close();
  });

  it("are no concern of /sse, where each event is a change by itself", async () => {
    const events = await Events.open("?lean=1");
    await listener.deliver(...statement());
    for (const id of [1, 2, 3])
      expect(JSON.parse((await events.next("orders:insert")).data)).toMatchObject({
        seq: id,
        key: { id },
        old: null,
      });
    await events.cancel();
  });
});

describe("the addresses of streams", () => {
  it.each([
    ["/ws", 426, "upgrade_required"],
    ["/sse?since=yesterday", 400, "bad_position"],
    ["/sse?orderIds=one", 400, "bad_filter"],
    ["/sse?statuses=", 400, "bad_filter"],
    ["/sse?filter=[]", 400, "bad_filter"],
    ["/sse?region=moon", 400, "invalid_query"],
    ["/sse?shard=-1", 400, "invalid_query"],
    ["/sse?fold=yes", 400, "invalid_query"],
    ["/sse?lean=2", 400, "invalid_query"],
  ])("answers %s with %i %s", async (path, status, code) => {
    const response = await call(path);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ success: false, code });
  });

  it("answers another method with 405 and what is allowed", async () => {
    const response = await call("/sse", { method: "POST" });
    expect(response.status).toBe(405);
    expect(response.headers.get("Allow")).toContain("GET");
  });
});

describe("/health", () => {
  it("says how it is, without a database", async () => {
    for (const path of ["/health", "/api/health"]) {
      const response = await call(path);
      expect(await response.json()).toMatchObject({
        status: "ok",
        connectedClients: 0,
        listener: "live",
        protocol: 1,
      });
    }
  });
});
