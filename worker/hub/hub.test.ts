import { evictDurableObject, reset, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { changeLog, hub } from "../objects.ts";
import { Hub } from "./hub.ts";
import { call, callInternal, FakeListener, outboxChange, TestSocket } from "../../test/support/worker.ts";

let listener: FakeListener;

beforeEach(async () => {
  listener = new FakeListener();
  await listener.start();
});
afterEach(() => reset());
afterEach(() => {
  vi.restoreAllMocks();
});

const HERE = { region: "enam", level: 0, shard: 0 } as const;

/** What the hub here does when it is pushed to; null: what it always does. Other hubs are left alone. */
async function replacePush(instead: () => Promise<never> | null): Promise<void> {
  const original = Reflect.get(Hub.prototype, "push");
  const broken = await runInDurableObject(hub(env, HERE), (instance) => instance);
  vi.spyOn(Hub.prototype, "push").mockImplementation(function (this: Hub, ...args) {
    return (this === broken ? instead() : null) ?? original.apply(this, args);
  });
}

describe("a client of the hub", () => {
  it("is welcomed with the present position, and told when it is up to date", async () => {
    const socket = await TestSocket.open();
    const welcome = await socket.next("welcome");
    expect(welcome).toMatchObject({ connectedClients: 1, protocol: 1 });
    expect(welcome.position).toMatch(/^[0-9a-z]+\.0$/);
    await socket.next("status");
  });

  it("gets each change once, in order, each frame beginning where the one before ended", async () => {
    const socket = await TestSocket.open();
    let { position } = await socket.next("welcome");
    for (let batch = 0; batch < 5; batch += 1) await listener.deliver(outboxChange(), outboxChange());
    const seqs: number[] = [];
    while (seqs.length < 10) {
      const frame = await socket.next("changes");
      expect(frame.from).toBe(position);
      position = frame.position;
      seqs.push(...frame.changes.map(({ seq }) => seq));
    }
    expect(seqs).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it("is sent numbers with every digit that Postgres wrote", async () => {
    const socket = await TestSocket.open();
    await socket.next("welcome");
    const change = outboxChange();
    const raw = JSON.stringify({
      source: "test-source",
      from: listener.cursor,
      to: "x:1",
      changes: [change],
    }).replace('"status":"pending"', '"big":9007199254740993,"price":12345678901234567.10');
    expect((await callInternal("/internal/changes", { method: "POST", body: raw })).status).toBe(200);
    const epoch = (await socket.next("changes")).position.split(".")[0];
    const page = await (await call(`/api/changes?since=${epoch}.0`)).text();
    expect(page).toContain('"big":9007199254740993,"price":12345678901234567.10');
  });

  it("comes back with its position and gets what it missed, then what is new", async () => {
    const first = await TestSocket.open();
    await first.next("welcome");
    await listener.deliver(outboxChange());
    const { position } = await first.next("changes");
    first.close();
    await listener.deliver(outboxChange(), outboxChange());
    const second = await TestSocket.open(`?since=${position}`);
    expect((await second.next("welcome")).position).toBe(position);
    expect((await second.changes(2)).map(({ seq }) => seq)).toEqual([2, 3]);
    await listener.deliver(outboxChange());
    expect((await second.changes(1)).map(({ seq }) => seq)).toEqual([4]);
  });

  it("with a position of another epoch, or of the future, is told to reload from here", async () => {
    await listener.deliver(outboxChange());
    const other = await TestSocket.open("?since=elsewhere.5");
    const reset = await other.next("reset");
    expect(reset.reason).toBe("epoch");
    expect(reset.position).toMatch(/\.1$/);
    const ahead = await TestSocket.open(`?since=${reset.position.replace(/\.1$/, ".99")}`);
    expect(await ahead.next("reset")).toMatchObject({ reason: "future", position: reset.position });
    await listener.deliver(outboxChange());
    expect((await other.next("changes")).from).toBe(reset.position);
  });

  it("whose position history no longer reaches is told so", async () => {
    const { position } = await changeLog(env).overview();
    // The tests' log keeps 100 changes.
    for (let batch = 0; batch < 12; batch += 1) {
      await listener.deliver(...Array.from({ length: 10 }, () => outboxChange()));
    }
    const socket = await TestSocket.open(`?since=${position}`);
    const reset = await socket.next("reset");
    expect(reset).toMatchObject({ reason: "expired" });
    expect(reset.position).toMatch(/\.120$/);
  });

  it("with a filter sees a row enter, change and leave, and nothing else; the empty frame moves it past the rest", async () => {
    const socket = await TestSocket.open("?statuses=pending");
    let { position } = await socket.next("welcome");
    const row = { id: 7, customer_name: "Ada", status: "pending" };
    await listener.deliver(
      outboxChange({ key: { id: 7 }, data: row }),
      outboxChange({ data: { id: 8, status: "shipped" } }),
      outboxChange({
        operation: "UPDATE",
        key: { id: 7 },
        data: { ...row, status: "shipped" },
        old: { status: "pending" },
      }),
    );
    await listener.deliver(outboxChange({ data: { id: 9, status: "completed" } }));
    const seen = await socket.next("changes");
    expect(seen.from).toBe(position);
    expect(seen.changes.map(({ seq }) => seq)).toEqual([1, 3]);
    position = seen.position;
    const empty = await socket.next("changes");
    expect(empty).toMatchObject({ from: position, changes: [] });
    expect(empty.position).toMatch(/\.4$/);
  });

  it("changes its filter while connected", async () => {
    const socket = await TestSocket.open();
    await socket.next("welcome");
    socket.send({ type: "subscribe", statuses: ["shipped"] });
    expect((await socket.next("subscribed")).filter).toEqual({ orders: { status: ["shipped"] } });
    await listener.deliver(outboxChange(), outboxChange({ data: { id: 2, status: "shipped" } }));
    expect((await socket.next("changes")).changes.map(({ seq }) => seq)).toEqual([2]);
    socket.send({ type: "unsubscribe" });
    expect((await socket.next("subscribed")).filter).toBeNull();
    await listener.deliver(outboxChange());
    expect((await socket.next("changes")).changes).toHaveLength(1);
  });

  it("that sends nonsense is told what is wrong and stays connected", async () => {
    const socket = await TestSocket.open();
    await socket.next("welcome");
    socket.send("{oops");
    expect(await socket.next("error")).toMatchObject({ code: "bad_frame" });
    await listener.deliver(outboxChange());
    await socket.next("changes");
  });

  it("that sends an oversized frame is closed with a code that says so", async () => {
    const socket = await TestSocket.open();
    await socket.next("welcome");
    socket.send("x".repeat(20_000));
    expect((await socket.whenClosed()).code).toBe(4413);
  });

  it("has its ping answered with the position of the hub", async () => {
    const socket = await TestSocket.open();
    await socket.next("welcome");
    await listener.deliver(outboxChange());
    const { position } = await socket.next("changes");
    socket.send("ping");
    expect(await socket.nextText()).toBe(`pong ${position}`);
  });

  it("that does not acknowledge is sent one window and no more, until it does", async () => {
    const slow = await TestSocket.open();
    const { window, position } = await slow.next("welcome");
    const quick = await TestSocket.open();
    await quick.next("welcome");
    const big = "x".repeat(100_000);
    for (let i = 0; i < 12; i += 1) {
      await listener.deliver(outboxChange({ data: { id: i, name: big } }));
      const frame = await quick.next("changes");
      quick.send({ type: "ack", position: frame.position });
    }
    slow.send("ping"); // its answer comes behind everything that was sent
    await slow.nextText();
    const got = slow.frames.filter((frame) => typeof frame === "object" && frame.type === "changes");
    expect(got.length).toBeLessThanOrEqual(Math.ceil(window.bytes / 100_000) + 1);
    expect(got.length).toBeLessThan(12);

    const seqs: number[] = [];
    let from = position;
    for (const frame of got) {
      if (typeof frame !== "object" || frame.type !== "changes") continue;
      expect(frame.from).toBe(from);
      from = frame.position;
      seqs.push(...frame.changes.map(({ seq }) => seq));
    }
    slow.send({ type: "ack", position: from });
    while (seqs.length < 12) {
      const frame = await slow.next("changes");
      expect(frame.from).toBe(from);
      from = frame.position;
      seqs.push(...frame.changes.map(({ seq }) => seq));
      slow.send({ type: "ack", position: from });
    }
    expect(seqs).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
    await slow.next("status");
  });

  it("that comes back far behind is served in small frames, each of which it could go on from", async () => {
    const { position } = await changeLog(env).overview();
    for (let batch = 0; batch < 4; batch += 1) {
      await listener.deliver(
        ...Array.from({ length: 20 }, (_, id) => outboxChange({ data: { id, text: "x".repeat(1000) } })),
      );
    }
    const socket = await TestSocket.open(`?since=${position}`);
    let from = position;
    const seqs: number[] = [];
    while (seqs.length < 80) {
      const frame = await socket.next("changes");
      expect(JSON.stringify(frame).length).toBeLessThan(10_000);
      expect(frame.from).toBe(from);
      expect(frame.position).toBe(`${position.split(".")[0]}.${frame.changes.at(-1)?.seq}`);
      from = frame.position;
      seqs.push(...frame.changes.map(({ seq }) => seq));
    }
    expect(seqs).toEqual(Array.from({ length: 80 }, (_, index) => index + 1));
  });

  it("that is behind and allows it is told what became of each row, not all that it went through", async () => {
    const slow = await TestSocket.open("?fold=1");
    await slow.next("welcome");
    const big = "x".repeat(30_000);
    const update = (i: number) =>
      outboxChange({
        operation: "UPDATE",
        key: { id: 1 },
        data: { id: 1, name: big, version: i },
        old: { version: i - 1 },
      });
    for (let i = 1; i <= 30; i += 1) await listener.deliver(update(i));
    slow.send("ping");
    await slow.nextText();
    const sent = slow.frames.flatMap((frame) =>
      typeof frame === "object" && frame.type === "changes" ? [frame] : [],
    );
    expect(sent.flatMap(({ changes }) => changes).every(({ folded }) => folded === undefined)).toBe(true);
    const from = sent.at(-1)?.position ?? "";
    slow.send({ type: "ack", position: from });
    const frame = await slow.next("changes");
    expect(frame).toMatchObject({
      from,
      changes: [{ seq: 30, folded: 29 - sent.length, data: { version: 30 } }],
    });
    expect(frame.changes[0]?.old).toEqual({ version: sent.length });
    await slow.next("status");
  });

  it("that is behind is not sent the same rows again and again, however much text they are together", async () => {
    const slow = await TestSocket.open("?fold=1");
    await slow.next("welcome");
    const update = (i: number) =>
      outboxChange({
        operation: "UPDATE",
        key: { id: i % 4 },
        data: { id: i % 4, name: "x".repeat(25_000), version: 10 ** (i % 7) },
        old: { version: 1 },
      });
    for (let i = 1; i <= 80; i += 1) await listener.deliver(update(i));
    slow.send("ping");
    await slow.nextText();
    const sent = slow.frames.flatMap((frame) =>
      typeof frame === "object" && frame.type === "changes" ? [frame] : [],
    );
    slow.send({ type: "ack", position: sent.at(-1)?.position });
    const rest = await slow.changes(4);
    expect(rest.map(({ seq }) => seq)).toEqual([77, 78, 79, 80]);
    expect(rest.reduce((sum, { folded }) => sum + 1 + (folded ?? 0), 0)).toBe(
      80 - (sent.at(-1)?.changes.at(-1)?.seq ?? 0),
    );
    await slow.next("status");
  });

  it("stays connected while its hub loses its memory, and misses nothing", async () => {
    const plain = await TestSocket.open();
    const filtered = await TestSocket.open("?statuses=shipped");
    await plain.next("welcome");
    const welcome = await filtered.next("welcome");
    await listener.deliver(outboxChange());
    const { position } = await plain.next("changes");
    const empty = await filtered.next("changes"); // a hub only sleeps after this
    expect(empty).toMatchObject({ from: welcome.position, position, changes: [] });

    await evictDurableObject(hub(env, HERE), { webSockets: "hibernate" });
    plain.send("ping");
    expect(await plain.nextText()).toBe(`pong ${position}`);
    await listener.deliver(outboxChange(), outboxChange({ data: { id: 3, status: "shipped" } }));
    expect(await plain.next("changes")).toMatchObject({ from: position, changes: [{ seq: 2 }, { seq: 3 }] });
    expect(await filtered.next("changes")).toMatchObject({ from: position, changes: [{ seq: 3 }] });
  });

  it("keeps its place behind a full window when its hub loses its memory", async () => {
    const slow = await TestSocket.open();
    await slow.next("welcome");
    const big = "x".repeat(200_000);
    for (let i = 0; i < 6; i += 1) await listener.deliver(outboxChange({ data: { id: i, name: big } }));
    slow.send("ping");
    await slow.nextText();
    const before = slow.frames.filter(
      (frame) => typeof frame === "object" && frame.type === "changes",
    ).length;
    expect(before).toBeLessThan(6);
    await evictDurableObject(hub(env, HERE), { webSockets: "hibernate" });
    await listener.deliver(outboxChange());
    slow.send("ping");
    await slow.nextText();
    const frames = slow.frames.filter((frame) => typeof frame === "object" && frame.type === "changes");
    expect(frames.length, "nothing more before an acknowledgement").toBe(before);
    const last = frames.at(-1);
    if (typeof last !== "object" || last.type !== "changes") throw new Error("no frame");
    slow.send({ type: "ack", position: last.position });
    const next = await slow.next("changes");
    expect(next.from).toBe(last.position);
  });

  it("is served on when the log loses its memory", async () => {
    const socket = await TestSocket.open();
    await socket.next("welcome");
    await listener.deliver(outboxChange());
    await socket.next("changes");
    await evictDurableObject(changeLog(env));
    await listener.deliver(outboxChange());
    expect((await socket.next("changes")).changes).toMatchObject([{ seq: 2 }]);
  });

  it("is told to reload when the source's history has changed", async () => {
    const socket = await TestSocket.open();
    const { position } = await socket.next("welcome");
    await listener.deliver(outboxChange());
    await socket.next("changes");
    await listener.post([], { source: "restored", restart: "the last change is gone" });
    const reset = await socket.next("reset");
    expect(reset.reason).toBe("epoch");
    expect(reset.position.split(".")[0]).not.toBe(position.split(".")[0]);
    await listener.post([outboxChange()], { source: "restored" });
    expect(await socket.next("changes")).toMatchObject({ from: reset.position, changes: [{ seq: 1 }] });
  });

  it("is counted, and everyone is told when another comes and goes", async () => {
    const first = await TestSocket.open();
    await first.next("welcome");
    const second = await TestSocket.open();
    await second.next("welcome");
    let status = await first.next("status");
    while (status.connectedClients !== 2) status = await first.next("status");
    second.close();
    while (status.connectedClients !== 1) status = await first.next("status");
    expect(status.listener).toBe("live");
  });

  it("gets what it missed at the next check-in when the log had forgotten its hub", async () => {
    const socket = await TestSocket.open();
    await socket.next("welcome");
    const log = changeLog(env);
    await runInDurableObject(log, (_instance, state) => {
      state.storage.sql.exec("DELETE FROM hubs");
    });
    await evictDurableObject(log);
    await listener.deliver(outboxChange());
    expect((await log.overview()).connectedClients).toBe(0);
    expect(await runDurableObjectAlarm(hub(env, HERE))).toBe(true);
    expect((await socket.next("changes")).changes).toMatchObject([{ seq: 1 }]);
    expect((await log.overview()).connectedClients).toBe(1);
  });

  it("is told to reload when the log has lost everything", async () => {
    const socket = await TestSocket.open();
    await socket.next("welcome");
    await listener.deliver(outboxChange());
    await socket.next("changes");
    await runInDurableObject(changeLog(env), async (_instance, state) => {
      await state.storage.deleteAll();
    });
    await evictDurableObject(changeLog(env));
    await runDurableObjectAlarm(hub(env, HERE));
    expect((await socket.next("reset")).reason).toBe("epoch");
    // And again when the log begins: what was committed between the reload and that is not in it.
    await listener.start();
    const { position } = await socket.next("reset");
    await listener.deliver(outboxChange());
    expect(await socket.next("changes")).toMatchObject({ from: position, changes: [{ seq: 1 }] });
  });

  it("misses nothing while pushes to its hub fail, and clients of another hub do not wait for that", async () => {
    const here = await TestSocket.open();
    const there = await TestSocket.open("?region=weur");
    await here.next("welcome");
    await there.next("welcome");
    let failures = 2;
    await replacePush(() => (failures-- > 0 ? Promise.reject(new Error("broken")) : null));
    await listener.deliver(outboxChange());
    await listener.deliver(outboxChange());
    expect((await there.changes(2)).map(({ seq }) => seq)).toEqual([1, 2]);
    expect(here.frames.some((frame) => typeof frame === "object" && frame.type === "changes")).toBe(false);
    expect((await here.changes(2)).map(({ seq }) => seq)).toEqual([1, 2]);
  });

  it("does not wait for another hub that hangs", async () => {
    const here = await TestSocket.open();
    const there = await TestSocket.open("?region=weur");
    await here.next("welcome");
    await there.next("welcome");
    await replacePush(() => new Promise(() => undefined));
    for (let i = 0; i < 3; i += 1) await listener.deliver(outboxChange());
    expect((await there.changes(3)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });
});
