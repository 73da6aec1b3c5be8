import { describe, expect, test } from "vitest";
import type { ClientEvents } from "../api.ts";
import { liveCollection } from "../collection.ts";
import { emitter } from "../observable.ts";
import { open, serverWith, settled } from "../../test/client/fake-server.ts";
import type { LoadedPage } from "./api.ts";
import type { Item } from "./histories.ts";
import type { WriteStorage } from "./kept-writes.ts";

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
    expect(collection.row(key).get()).toEqual({ id: 11, v: 8 }); // by the key that it was shown under first
    collection.remove(key);
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
    expect(shown()).toEqual([{ id: -1, v: 5 }]); // one row, not two
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
    const { collection, pass } = open(serverWith({ id: 1, v: 1 }));
    await settled();
    await collection.update(1, { v: 2 }).done;
    await pass(29_999);
    expect(collection.pending.get()).toHaveLength(1);
    await pass(1);
    expect(collection.pending.get()).toEqual([]);
  });

  test("that creates what the filter keeps out is forgotten as soon as it is answered", async () => {
    const { collection, shown } = open(serverWith(), undefined, {
      filter: { tables: { items: { v: [1] } } },
    });
    await settled();
    await collection.create({ v: 2 }).done;
    expect(shown()).toEqual([]);
    expect(collection.pending.get()).toEqual([]);
  });

  test("that a snapshot shows is confirmed by it: nothing is pending after a reset", async () => {
    const { collection, shown, reset } = open(serverWith({ id: 1, v: 1 }));
    await settled();
    await collection.update(1, { v: 2 }).done;
    reset();
    await settled();
    expect(collection.pending.get()).toEqual([]);
    expect(shown()).toEqual([{ id: 1, v: 2 }]);
  });

  test("is confirmed also when the stream brings it while the rows are loaded in an older snapshot", async () => {
    const server = serverWith({ id: 1, v: 1 });
    const loads: ((page: LoadedPage<Item>) => void)[] = [];
    const load = () => new Promise<LoadedPage<Item>>((resolve) => loads.push(resolve));
    const { collection, shown, reset, deliver } = open(server, undefined, { load });
    const page = { rows: [{ id: 1, v: 1 }], snapshot: server.snapshot };
    loads[0]?.(page);
    await settled();
    reset();
    await collection.update(1, { v: 2 }).done;
    deliver();
    expect(collection.pending.get()).toHaveLength(1);
    loads[1]?.(page);
    await settled();
    expect(collection.pending.get()).toEqual([]);
    expect(shown()).toEqual([{ id: 1, v: 2 }]);
  });

  test("that fails again and again is gone past by those to other rows, and holds its own row alone up", async () => {
    const server = serverWith({ id: 1, v: 1 }, { id: 2, v: 1 });
    const { collection, pass } = open(server);
    await settled();
    server.broken.add(1);
    collection.update(1, { v: 2 });
    collection.update(2, { v: 2 });
    collection.update(1, { v: 3 });
    for (let round = 0; round < 3; round += 1) await pass(5_000);
    expect(server.stream.map(({ data }) => data)).toEqual([{ id: 2, v: 2 }]);
    server.broken.clear();
    await pass(30_000);
    expect(server.stream.map(({ data }) => data).slice(1)).toEqual([
      { id: 1, v: 2 },
      { id: 1, v: 3 },
    ]);
  });

  test("that hangs on a connection that is dead is sent again as soon as the stream is back", async () => {
    const server = serverWith({ id: 1, v: 1 });
    const { collection, pass, welcome } = open(server);
    await settled();
    server.fate = "hangs";
    collection.update(1, { v: 2 });
    await settled();
    server.fate = "answered";
    await pass(5_000);
    welcome();
    await settled();
    expect(server.stream).toHaveLength(1);
    server.fate = "hangs";
    collection.update(1, { v: 3 });
    await settled();
    server.fate = "answered";
    await pass(30_000); // and without that, after a while
    await pass(30_000);
    expect(server.stream).toHaveLength(2);
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
