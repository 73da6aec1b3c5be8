import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startFakeHub } from "./fake-hub.ts";
import type { FakeHub } from "./fake-hub.ts";

let hub: FakeHub;
const children: ChildProcess[] = [];

beforeEach(async () => {
  hub = await startFakeHub();
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await hub.close();
});

/** The real command, in a process of its own. */
function watch(...args: string[]) {
  const { NO_COLOR: _noColor, FORCE_COLOR: _forceColor, ...env } = process.env;
  const child = spawn(process.execPath, ["cli/main.ts", "watch", ...args], {
    env: { ...env, ROWCAST_URL: hub.url },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let notes = "";
  const waiting: { part: string; done: () => void }[] = [];
  child.stderr.on("data", (data: Buffer) => {
    notes += data.toString();
    for (const { part, done } of waiting) if (notes.includes(part)) done();
  });
  return {
    child,
    line: async (): Promise<string | undefined> => (await lines.next()).value,
    /** Resolves when stderr has said so. */
    noted: (part: string) =>
      new Promise<void>((done) => (notes.includes(part) ? done() : void waiting.push({ part, done }))),
    notes: () => notes,
    exit: once(child, "close") as Promise<[number | null, string | null]>,
  };
}

test("prints changes as they come, the state of the connection on stderr, and ends with 0 on Ctrl-C", async () => {
  const { child, line, noted, exit, notes } = watch();
  await noted("live over websocket");
  hub.append({ operation: "UPDATE", data: { id: 1, status: "shipped" }, old: { status: "pending" } });
  expect(await line()).toBe("10:00:00.123  UPDATE    orders  id=1  status pending → shipped");
  child.kill("SIGINT");
  expect(await exit).toEqual([0, null]);
  expect(await line()).toBeUndefined();
  expect(notes()).toContain("--since e.1 goes on from here");
});

test("--json prints the exact change, one a line, from --since on", async () => {
  hub.append({}, {}, {});
  const { line } = watch("--json", "--since", "e.1", "--transport", "sse");
  expect(JSON.parse((await line()) ?? "")).toMatchObject({ seq: 2, xid: "702", key: { id: 2 } });
  expect(JSON.parse((await line()) ?? "")).toMatchObject({ seq: 3 });
  expect([...hub.readers][0]?.transport).toBe("sse");
});

test("Rowcast's own tables are left out, unless they are asked for", async () => {
  const [all, own] = [watch("--json"), watch("--json", "--tables", "rowcast.probes")];
  await Promise.all([all.noted("live"), own.noted("live")]);
  hub.append({ table: "rowcast.probes" }, {});
  expect(JSON.parse((await all.line()) ?? "")).toMatchObject({ seq: 2, table: "orders" });
  expect(JSON.parse((await own.line()) ?? "")).toMatchObject({ seq: 1, table: "rowcast.probes" });
});

test("a number that JavaScript cannot hold keeps every digit", async () => {
  const { line, noted } = watch("--json");
  await noted("live");
  const [reader] = hub.readers;
  const change =
    '{"seq":1,"xid":"7","table":"t","operation":"DELETE","key":{"id":9007199254740993},"data":{"id":9007199254740993},"old":null,"timestamp":"2026-11-21T12:00:00Z"}';
  reader?.raw(`{"type":"changes","from":"e.0","position":"e.1","changes":[${change}]}`);
  expect(await line()).toBe(change);
});

test("--status, --orders and --tables go to the server as a filter", async () => {
  const ready = hub.nextReader();
  watch("--status", "pending,shipped", "--orders", "1,2", "--tables", "customers");
  expect(JSON.parse((await ready).query.get("filter") ?? "")).toEqual({
    customers: {},
    orders: { id: [1, 2], status: ["pending", "shipped"] },
  });
});

test("a reader that has enough ends it quietly", async () => {
  const { child, line, noted, exit, notes } = watch();
  await noted("live");
  hub.append({});
  await line();
  child.stdout.destroy();
  const beat = setInterval(() => hub.append({}), 20);
  expect(await exit).toEqual([0, null]);
  clearInterval(beat);
  expect(notes()).not.toContain("EPIPE");
});

test("a server that refuses for good ends it with 1 and the reason", async () => {
  hub.refuseSse = { status: 403, detail: "not from here" };
  const { exit, notes } = watch("--transport", "sse");
  expect(await exit).toEqual([1, null]);
  expect(notes()).toContain("not from here");
});

test.each([
  [["--since", "yesterday"], "A position looks like"],
  [["--orders", "one"], "whole numbers"],
  [["--url", "nowhere"], "It is an address like"],
  [["--transport", "pigeon"], "websocket, sse"],
])("%j is refused in words", async (args, words) => {
  const { exit, notes } = watch(...args);
  expect(await exit).toEqual([2, null]);
  expect(notes()).toContain(words);
});
