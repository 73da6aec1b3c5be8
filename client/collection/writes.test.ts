import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Change } from "../../protocol/change.ts";
import type { ClientEvents } from "../api.ts";
import { liveCollection } from "../collection.ts";
import { emitter, observable } from "../observable.ts";
import { change, type Item } from "./histories.ts";
import { WriteRefused } from "./writes.ts";
import type { WriteStorage } from "./kept-writes.ts";

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A server of one table that answers when it is told to, and does each write once, by its id. */
class Server {
  readonly rows = new Map<number, Item>();
  readonly stream: Change[] = [];
  /** Ids of the writes as they came in, repetitions too. */
  readonly asked: string[] = [];
  readonly #answers = new Map<string, { data: Item; xid: string } | WriteRefused>();
  #xid = 100;
  #id = 10;
  /** What becomes of the next request: nothing arrives, or its answer is lost. */
  fate: "answered" | "lost" | "answer-lost" = "answered";

  async ask(id: string, run: () => Item | null, operation: Change["operation"]) {
    await Promise.resolve();
    if (this.fate === "lost") throw new TypeError("fetch failed");
    this.asked.push(id);
    let answer = this.#answers.get(id);
    if (answer === undefined) {
      const row = run();
      if (row === null) answer = new WriteRefused("there is no such row", { status: 404, code: "not_found" });
      else {
        const xid = ++this.#xid;
        answer = { data: row, xid: String(xid) };
        this.stream.push(change(xid, operation, row));
      }
      this.#answers.set(id, answer);
    }
    if (this.fate === "answer-lost") throw new TypeError("fetch failed");
    if (answer instanceof WriteRefused) throw answer;
    return answer;
  }

  create(v: number): Item {
    const row = { id: ++this.#id, v };
    this.rows.set(row.id, row);
    return row;
  }
  update(id: number, v: number): Item | null {
    if (!this.rows.has(id) || v === 13) return null;
    const row = { id, v };
    this.rows.set(id, row);
    return row;
  }
  remove(id: number): Item | null {
    const row = this.rows.get(id) ?? null;
    this.rows.delete(id);
    return row;
  }
}

function open(server: Server, storage?: WriteStorage) {
  const events = emitter<ClientEvents>();
  const timers: { call: () => void; ms: number }[] = [];
  const state = observable({ name: "live", transport: "websocket" } as const);
  const collection = liveCollection<Item>({
    client: { on: events.on, position: "e.0", state: state.value },
    table: "items",
    key: ({ id }) => id,
    load: () => Promise.resolve({ rows: [...server.rows.values()], snapshot: "100:101:" }),
    ...(storage && { storage }),
    write: {
      draft: (fields, n) => ({ v: 0, ...fields, id: -n }),
      create: ({ v = 0 }, id) => server.ask(id, () => server.create(v), "INSERT"),
      update: ({ id: key }, { v = 0 }, id) => server.ask(id, () => server.update(key, v), "UPDATE"),
      remove: ({ id: key }, id) => server.ask(id, () => server.remove(key), "DELETE"),
    },
    env: {
      random: () => 0,
      setTimeout: (call, ms) => timers.push({ call, ms }),
      clearTimeout: (at) => void timers.splice(Number(at) - 1, 1, { call: () => undefined, ms: 0 }),
    },
  });
  let told = 0;
  const deliver = (count = Infinity): void => {
    const changes = server.stream.slice(told, told + count);
    told += changes.length;
    events.emit("changes", { from: "e.0", position: "e.0", changes, transport: "websocket" });
  };
  const welcome = (): void => {
    const about = { clientId: "c", connectedClients: 1, listener: "live", protocol: 1 } as const;
    events.emit("welcome", { type: "welcome", position: "e.0", window: { bytes: 1, changes: 1 }, ...about });
  };
  const shown = () => [...collection.rows.get().values()].toSorted((a, b) => a.id - b.id);
  return { collection, deliver, welcome, shown, timers };
}

function serverWith(...rows: Item[]): Server {
  const server = new Server();
  for (const row of rows) server.rows.set(row.id, row);
  return server;
}

describe("a write", () => {
  test("is shown at once, stays until the stream brings it, and never shows the old value in between", async () => {
    const server = serverWith({ id: 1, v: 1 });
    const { collection, deliver } = open(server);
    await settled();
    const told: unknown[] = [];
    collection.row(1).subscribe((row) => told.push(row?.v));
    const write = collection.update(1, { v: 2 });
    expect(collection.rows.get().get(1)).toEqual({ id: 1, v: 2 });
    expect(collection.pending.get()).toMatchObject([
      { id: write.id, kind: "update", key: 1, fields: { v: 2 } },
    ]);
    expect(await write.done).toEqual({ id: 1, v: 2 });
    expect(collection.pending.get()).toHaveLength(1);
    deliver();
    expect(collection.pending.get()).toEqual([]);
    expect(new Set(told)).toEqual(new Set([2]));
  });

  test("that creates a row shows one row all along, first under a key of its own, then under that of the server", async () => {
    const { collection, deliver, shown } = open(serverWith());
    await settled();
    const write = collection.create({ v: 7 });
    expect(shown()).toEqual([{ id: -1, v: 7 }]);
    await write.done;
    expect(shown()).toEqual([{ id: 11, v: 7 }]);
    deliver();
    expect(shown()).toEqual([{ id: 11, v: 7 }]);
    expect(collection.pending.get()).toEqual([]);
  });

  test("to a row that is not created yet is sent after it, with the key that the server gave", async () => {
    const server = serverWith();
    const { collection, deliver, shown } = open(server);
    await settled();
    const { key } = collection.create({ v: 7 });
    const write = collection.update(key, { v: 8 });
    expect(shown()).toEqual([{ id: -1, v: 8 }]);
    await write.done;
    expect(shown()).toEqual([{ id: 11, v: 8 }]);
    collection.remove(key); // by the key that it was shown under first
    expect(shown()).toEqual([]);
    await settled();
    deliver();
    expect(shown()).toEqual([]);
    expect(server.rows.size).toBe(0);
  });

  test("that is refused is taken back with the reason, and so is what was to be done with a row that is not created", async () => {
    const { collection, shown } = open(serverWith({ id: 1, v: 1 }));
    await settled();
    const told: unknown[] = [];
    collection.on("refused", ({ write, error }) => told.push([write.kind, error.code]));
    const write = collection.update(1, { v: 13 });
    await expect(write.done).rejects.toMatchObject({ code: "not_found", status: 404 });
    expect(shown()).toEqual([{ id: 1, v: 1 }]);
    expect(told).toEqual([["update", "not_found"]]);
    expect(() => collection.update(99, { v: 1 })).toThrow(RangeError);
  });

  test("made while the server cannot be reached waits, in order, and is sent when the stream is back", async () => {
    const server = serverWith({ id: 1, v: 1 });
    const { collection, welcome, deliver, shown } = open(server);
    await settled();
    server.fate = "lost";
    collection.update(1, { v: 2 });
    collection.create({ v: 5 });
    collection.update(1, { v: 3 });
    await settled();
    expect(shown()).toEqual([
      { id: -1, v: 5 },
      { id: 1, v: 3 },
    ]);
    expect(collection.pending.get().map(({ attempt }) => attempt)).toEqual([1, 0, 0]);
    server.fate = "answered";
    welcome();
    await settled();
    deliver();
    expect(server.stream.map(({ data }) => data)).toEqual([
      { id: 1, v: 2 },
      { id: 11, v: 5 },
      { id: 1, v: 3 },
    ]);
    expect(collection.pending.get()).toEqual([]);
  });

  test("whose answer was lost is sent again under the same id, and done once", async () => {
    const server = serverWith();
    const { collection, welcome, shown, deliver } = open(server);
    await settled();
    server.fate = "answer-lost";
    collection.create({ v: 5 });
    await settled();
    deliver(); // the stream is faster than the answer
    expect(shown()).toEqual([
      { id: -1, v: 5 },
      { id: 11, v: 5 },
    ]);
    server.fate = "answered";
    welcome();
    await settled();
    expect(new Set(server.asked).size).toBe(1);
    expect(shown()).toEqual([{ id: 11, v: 5 }]);
    expect(collection.pending.get()).toEqual([]);
  });

  test("survives the end of the page, with its id, its order and the rows that it was to create", async () => {
    let text: string | null = null;
    const storage: WriteStorage = {
      load: () => Promise.resolve(text),
      save: async (next) => {
        text = next;
        await Promise.resolve();
      },
    };
    const server = serverWith({ id: 1, v: 1 });
    const before = open(server, storage);
    await settled();
    server.fate = "lost";
    const { id, key } = before.collection.create({ v: 5 });
    before.collection.update(key, { v: 6 });
    before.collection.update(1, { v: 2 });
    await settled();
    before.collection.close();
    const after = open(server, storage);
    await settled();
    expect(after.shown()).toEqual([
      { id: -1, v: 6 },
      { id: 1, v: 2 },
    ]);
    expect(after.collection.pending.get()[0]?.id).toBe(id);
    server.fate = "answered";
    after.welcome();
    await settled();
    after.deliver();
    expect(after.shown()).toEqual([
      { id: 1, v: 2 },
      { id: 11, v: 6 },
    ]);
    expect(JSON.parse(text ?? "")).toEqual({ version: 1, writes: [] });
  });

  test("that the stream never brings, because of its filter, is not pending for ever", async () => {
    const { collection, timers } = open(serverWith({ id: 1, v: 1 }));
    await settled();
    await collection.update(1, { v: 2 }).done;
    timers.find(({ ms }) => ms === 10_000)?.call();
    expect(collection.pending.get()).toEqual([]);
  });

  test("needs a way to write", () => {
    const { on } = emitter<ClientEvents>();
    const load = () => Promise.resolve({ rows: [], snapshot: "1:1:" });
    const collection = liveCollection<Item>({
      client: { on, position: null },
      table: "items",
      key: ({ id }) => id,
      load,
    });
    expect(() => collection.create({ v: 1 })).toThrow(TypeError);
  });
});

test("whatever is written, lost, refused and brought, in the end the rows are the server's and nothing was done twice", async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("create" as const), v: fc.nat(20) }),
    fc.record({ do: fc.constant("update" as const), pick: fc.nat(9), v: fc.nat(20) }),
    fc.record({ do: fc.constant("remove" as const), pick: fc.nat(9) }),
    fc.record({ do: fc.constant("deliver" as const), count: fc.nat(3) }),
    fc.record({ do: fc.constant("fate" as const), fate: fc.constantFrom("answered", "lost", "answer-lost") }),
    fc.constant({ do: "welcome" as const }),
    fc.constant({ do: "settle" as const }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const server = serverWith({ id: 1, v: 1 }, { id: 2, v: 2 });
      const { collection, deliver, welcome, shown } = open(server);
      await settled();
      const pick = (at: number) => shown()[at % Math.max(1, shown().length)]?.id;
      for (const each of steps) {
        if (each.do === "create") collection.create({ v: each.v });
        else if (each.do === "deliver") deliver(each.count);
        else if (each.do === "fate") server.fate = each.fate;
        else if (each.do === "welcome") welcome();
        else if (each.do === "settle") await settled();
        else {
          const key = pick(each.pick);
          if (key === undefined) continue;
          if (each.do === "update") {
            collection.update(key, { v: each.v });
            expect(collection.rows.get().get(key)?.v).toBe(each.v);
          } else {
            collection.remove(key);
            expect(collection.rows.get().has(key)).toBe(false);
          }
        }
      }
      server.fate = "answered";
      welcome();
      await settled();
      deliver();
      expect(collection.pending.get()).toEqual([]);
      expect(shown()).toEqual([...server.rows.values()].toSorted((a, b) => a.id - b.id));
      const done = server.stream.map(({ xid }) => xid);
      expect(new Set(done).size).toBe(done.length);
    }),
    { numRuns: 200 },
  );
});
