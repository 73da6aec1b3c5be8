import { evictDurableObject, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LogState } from "../../protocol/ingest.ts";
import {
  call,
  callInternal,
  FakeListener,
  outboxChange,
  SECRET,
  TestSocket,
} from "../../test/support/worker.ts";
import { changeLog } from "../objects.ts";

let listener: FakeListener;

beforeEach(async () => {
  listener = new FakeListener();
  await listener.start();
});
afterEach(() => reset());

describe("the change log", () => {
  it("numbers changes from 1 without a gap, across batches and loss of memory", async () => {
    await listener.deliver(outboxChange(), outboxChange());
    await evictDurableObject(changeLog(env));
    const state = await listener.deliver(outboxChange());
    expect(state.position).toMatch(/\.3$/);
    expect(state.cursor).toBe(listener.cursor);
  });

  it("tells the listener how many clients are connected", async () => {
    expect(await listener.deliver(outboxChange())).toMatchObject({ clients: 0 });
    const socket = await TestSocket.open();
    await socket.next("status");
    expect(await listener.deliver(outboxChange())).toMatchObject({ clients: 1 });
    expect(await listener.start()).toMatchObject({ clients: 1 });
    socket.close();
  });

  it("stores a repeated delivery once and answers with where it stands", async () => {
    const from = listener.cursor;
    const change = outboxChange();
    await listener.post([change], { to: "5:5:" });
    const again = await listener.post([change], { from, to: "5:5:" });
    expect(again.status).toBe(409);
    const body = await again.json<LogState & { code: string }>();
    expect(body).toMatchObject({
      code: "cursor_moved",
      cursor: "5:5:",
      last: { id: change.id, xid: change.xid },
    });
    expect((await changeLog(env).overview()).position).toMatch(/\.1$/);
  });

  it("lets one of two listeners win each batch", async () => {
    const other = new FakeListener();
    await other.start();
    const [a, b] = await Promise.all([
      listener.post([outboxChange()], { to: "9:9:" }),
      other.post([outboxChange()], { to: "9:9:" }),
    ]);
    expect(new Set([a.status, b.status])).toEqual(new Set([200, 409]));
    expect((await changeLog(env).overview()).position).toMatch(/\.1$/);
  });

  it("does not store what comes from another source until the history is restarted", async () => {
    const response = await listener.post([outboxChange()], { source: "another" });
    expect(response.status).toBe(409);
    const before = (await changeLog(env).overview()).position;
    const restarted = await listener.post([], { source: "another", to: "1:1:", restart: "restored" });
    expect(restarted.status).toBe(200);
    const state = await restarted.json<LogState>();
    expect(state).toMatchObject({ source: "another", cursor: "1:1:", last: null });
    expect(state.position.split(".")[0]).not.toBe(before.split(".")[0]);
    expect(state.position).toMatch(/\.0$/);
  });

  it("takes an empty delivery as a sign of life, and moves its cursor when it says so", async () => {
    await listener.deliver(outboxChange());
    expect((await listener.post([], { to: listener.cursor ?? "" })).status).toBe(200);
    await listener.post([], { to: "77:77:" });
    await evictDurableObject(changeLog(env));
    expect((await changeLog(env).state()).cursor).toBe("77:77:");
  });

  it("keeps the newest batch and as much before it as it is told", async () => {
    for (let batch = 0; batch < 30; batch += 1) {
      await listener.deliver(...Array.from({ length: 10 }, () => outboxChange()));
    }
    const { position } = await changeLog(env).overview();
    const epoch = position.split(".")[0] ?? "";
    expect(await changeLog(env).read({ epoch, seq: 100 }, 1000)).toMatchObject({
      ok: false,
      reason: "expired",
    });
    expect(await changeLog(env).read({ epoch, seq: 200 }, 1000)).toMatchObject({ ok: true });
  });
});

describe("/internal/changes", () => {
  it("is closed without the secret, and open with the previous one while secrets rotate", async () => {
    expect((await call("/internal/changes")).status).toBe(401);
    expect((await callInternal("/internal/changes", {}, `${SECRET}x`)).status).toBe(401);
    expect((await callInternal("/internal/changes", {}, "previous-ingest-secret-0123456789")).status).toBe(
      200,
    );
  });

  it("passes over a field that it does not know: the listener may be newer", async () => {
    const from = listener.cursor;
    const body = JSON.stringify({ source: "test-source", from, to: "2:2:", changes: [], addedLater: 1 });
    expect((await callInternal("/internal/changes", { method: "POST", body })).status).toBe(200);
    expect((await changeLog(env).state()).cursor).toBe("2:2:");
  });

  it.each([
    ["broken JSON", "{", 400],
    ["an empty object", "{}", 422],
    [
      "changes that are no changes",
      JSON.stringify({ source: "s", from: "1:1:", to: "2:2:", changes: [{}] }),
      422,
    ],
    [
      "changes without a cursor to begin at",
      JSON.stringify({ source: "s", from: null, to: "2:2:", changes: [outboxChange()] }),
      422,
    ],
    [
      "more than a batch may hold",
      JSON.stringify({
        source: "s",
        from: "1:1:",
        to: "2:2:",
        changes: [outboxChange({ data: { text: "x".repeat(2_000_000) } })],
      }),
      413,
    ],
  ])("answers %s with a problem", async (_, body, status) => {
    const response = await callInternal("/internal/changes", { method: "POST", body });
    expect(response.status).toBe(status);
    expect(response.headers.get("Content-Type")).toBe("application/problem+json");
    expect(await response.json()).toMatchObject({ success: false, status });
  });
});

describe("/api/changes", () => {
  it("answers where the log stands, then pages of what came after, then nothing new", async () => {
    const start = await (await call("/api/changes")).json<{ position: string }>();
    for (let batch = 0; batch < 3; batch += 1) await listener.deliver(outboxChange(), outboxChange());
    const page = await (await call(`/api/changes?since=${start.position}&limit=5`)).json<Page>();
    expect(page).toMatchObject({ from: start.position, more: true });
    expect(page.changes.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
    const rest = await (await call(`/api/changes?since=${page.position}`)).json<Page>();
    expect(rest).toMatchObject({ from: page.position, more: false, changes: [{ seq: 6 }] });
    const none = await (await call(`/api/changes?since=${rest.position}`)).json<Page>();
    expect(none).toMatchObject({ position: rest.position, changes: [] });
  });

  it("gives a page an address of its own, to be kept for ever", async () => {
    const start = await (await call("/api/changes")).json<{ position: string }>();
    const epoch = start.position.split(".")[0];
    await listener.deliver(outboxChange(), outboxChange(), outboxChange());
    const response = await call(`/api/changes/${epoch}/1-3`);
    expect(response.headers.get("Cache-Control")).toContain("immutable");
    expect((await response.json<Page>()).changes.map(({ seq }) => seq)).toEqual([2, 3]);
    expect((await call(`/api/changes/${epoch}/1-4`)).status).toBe(404);
  });

  it.each([
    ["?since=nowhere", 400, "bad_position"],
    ["?since=elsewhere.4", 410, "history_gone"],
    ["?limit=0", 400, "invalid_query"],
    ["?limit=many", 400, "invalid_query"],
    ["?orderIds=a", 400, "bad_filter"],
    ["?filter={", 400, "bad_filter"],
  ])("answers %s with %i %s", async (search, status, code) => {
    const response = await call(`/api/changes${search}`);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ success: false, code });
  });
});

interface Page {
  from: string;
  position: string;
  more: boolean;
  changes: { seq: number }[];
}
