import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { change, histories, rowsAfter } from "./collection/histories.ts";
import type { Item, Moment } from "./collection/histories.ts";
import type { Change } from "../protocol/change.ts";
import type { ChangeBatch, ClientEvents } from "./api.ts";
import { liveCollection } from "./collection.ts";
import type { LiveCollectionOptions } from "./collection/api.ts";
import { emitter, observable } from "./observable.ts";

/** A client whose stream is the test's. */
function stream(position: string | null = "e.0", connectedClients = 1) {
  const events = emitter<ClientEvents>();
  const { value: status } = observable({ connectedClients, listener: "live", lagMs: 1 } as const);
  const client: LiveCollectionOptions<Item>["client"] = { on: events.on, position, status };
  const deliver = (...changes: Change[]): void => {
    const batch: ChangeBatch = { from: "e.0", position: "e.0", changes, transport: "websocket" };
    events.emit("changes", batch);
  };
  const reset = (): void => events.emit("reset", { type: "reset", reason: "expired", position: "e.9" });
  const welcome = (): void => {
    const about = { clientId: "c", connectedClients: 1, listener: "live", protocol: 1 } as const;
    events.emit("welcome", { type: "welcome", position: "e.0", window: { bytes: 1, changes: 1 }, ...about });
  };
  return { client, deliver, reset, welcome };
}

/** Loads that the test answers one by one, in any order. */
function loads() {
  const asked: PromiseWithResolvers<{ rows: readonly Item[]; snapshot: string }>[] = [];
  const load = () => {
    const answer = Promise.withResolvers<{ rows: readonly Item[]; snapshot: string }>();
    asked.push(answer);
    return answer.promise;
  };
  const answer = async (index: number, rows: readonly Item[], snapshot: string): Promise<void> => {
    asked[index]?.resolve({ rows, snapshot });
    await settled();
  };
  const fail = async (index: number): Promise<void> => {
    asked[index]?.reject(new Error("no"));
    await settled();
  };
  return { load, answer, fail, asked };
}

/** Every promise that is resolved has been acted on. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

function open(
  options: Partial<LiveCollectionOptions<Item>> = {},
  position: string | null = "e.0",
  connectedClients = 1,
) {
  const source = stream(position, connectedClients);
  const loader = loads();
  const timers: (() => void)[] = [];
  const collection = liveCollection<Item>({
    client: source.client,
    table: "items",
    key: (row) => row.id,
    load: loader.load,
    env: { random: () => 0, setTimeout: (callback) => timers.push(callback), clearTimeout: () => undefined },
    ...options,
  });
  const rows = () => [...collection.rows.get().values()];
  return { ...source, ...loader, collection, rows, timers };
}

describe("loading", () => {
  test("waits for the first welcome, and loads once for all later ones", () => {
    const { asked, welcome } = open({}, null);
    expect(asked).toHaveLength(0);
    welcome();
    welcome();
    expect(asked).toHaveLength(1);
  });
  test("drops what the snapshot shows and applies the rest in order", async () => {
    const { deliver, answer, rows, collection } = open();
    deliver(change(5, "INSERT", { id: 1, v: 1 }), change(7, "UPDATE", { id: 1, v: 3 }));
    deliver(change(6, "UPDATE", { id: 2, v: 9 }));
    expect(collection.state.get()).toBe("loading");
    await answer(
      0,
      [
        { id: 1, v: 2 },
        { id: 2, v: 0 },
      ],
      "6:7:6",
    );
    expect(rows()).toEqual([
      { id: 1, v: 3 },
      { id: 2, v: 9 },
    ]);
    expect(collection.state.get()).toBe("ready");
  });
  test("drops what the snapshot shows also when it comes long after", async () => {
    const { deliver, answer, rows } = open();
    await answer(0, [{ id: 1, v: 2 }], "8:8:");
    deliver(change(9, "UPDATE", { id: 1, v: 4 }));
    deliver(change(7, "INSERT", { id: 1, v: 1 }));
    expect(rows()).toEqual([{ id: 1, v: 4 }]);
  });
  test("a load that fails is tried again, and the rows of before stay", async () => {
    const { answer, fail, reset, rows, collection, timers, asked } = open();
    await answer(0, [{ id: 1, v: 1 }], "1:1:");
    reset();
    expect(collection.state.get()).toBe("reloading");
    await fail(1);
    expect(collection.state.get()).toBe("failed");
    expect(rows()).toEqual([{ id: 1, v: 1 }]);
    timers[0]?.();
    expect(asked).toHaveLength(3);
    await answer(2, [{ id: 2, v: 2 }], "1:1:");
    expect(rows()).toEqual([{ id: 2, v: 2 }]);
  });
  test("a load that a reset has overtaken is forgotten", async () => {
    const { answer, reset, deliver, rows } = open();
    deliver(change(3, "INSERT", { id: 3, v: 3 }));
    reset();
    await answer(0, [{ id: 1, v: 1 }], "1:1:");
    expect(rows()).toEqual([]);
    await answer(1, [{ id: 2, v: 2 }], "1:1:");
    expect(rows()).toEqual([{ id: 2, v: 2 }]);
  });
  test("after a reset many clients load spread out over some seconds, and keep what comes meanwhile", async () => {
    const env = { random: () => 0.5 };
    for (const [clients, wait] of [
      [1, null],
      [2, 2.5],
      [1_001, 2_500],
      [1_000_000, 5_000],
    ] as const) {
      const timers: (() => void)[] = [];
      const waits: number[] = [];
      const setTimeout = (callback: () => void, ms: number): unknown => {
        waits.push(ms);
        return timers.push(callback);
      };
      const crowd = open({ env: { ...env, setTimeout, clearTimeout: () => undefined } }, "e.0", clients);
      crowd.reset();
      expect(waits).toEqual(wait === null ? [] : [wait]);
      expect(crowd.collection.state.get()).toBe("loading");
      await crowd.answer(0, [{ id: 1, v: 1 }], "1:1:"); // asked for before the reset
      crowd.deliver(change(3, "INSERT", { id: 3, v: 3 }));
      expect(crowd.rows()).toEqual([]);
      timers[0]?.();
      expect(crowd.asked).toHaveLength(2);
      await crowd.answer(1, [{ id: 2, v: 2 }], "3:3:");
      expect(crowd.rows()).toEqual([
        { id: 2, v: 2 },
        { id: 3, v: 3 },
      ]);
    }
  });
  test("a row too large to travel is loaded, spread out, with all the others", async () => {
    const { answer, deliver, rows, timers } = open();
    await answer(0, [{ id: 1, v: 1 }], "2:2:");
    deliver(change(2, "UPDATE", null, { key: { id: 1 }, truncated: true }));
    expect(rows()).toEqual([{ id: 1, v: 1 }]);
    timers[0]?.();
    await answer(1, [{ id: 1, v: 5 }], "3:3:");
    expect(rows()).toEqual([{ id: 1, v: 5 }]);
  });
  test("after close nothing is touched any more", async () => {
    const { answer, deliver, rows, collection } = open();
    collection.close();
    await answer(0, [{ id: 1, v: 1 }], "1:1:");
    deliver(change(2, "INSERT", { id: 2, v: 2 }));
    expect(rows()).toEqual([]);
  });
});

describe("following", () => {
  test("an update out of the filter removes the row, one into it adds it", async () => {
    const { answer, deliver, rows } = open({ filter: { tables: { items: { v: [1] } } } });
    await answer(0, [{ id: 1, v: 1 }], "1:1:");
    deliver(change(2, "UPDATE", { id: 1, v: 2 }), change(3, "UPDATE", { id: 2, v: 1 }));
    expect(rows()).toEqual([{ id: 2, v: 1 }]);
  });
  test("tells of each change with the row before and after, once the rows are set", async () => {
    const { answer, deliver, collection, rows } = open();
    await answer(0, [{ id: 1, v: 1 }], "1:1:");
    const told: unknown[] = [];
    collection.on("change", ({ before, after }) => told.push([before, after, rows().length]));
    deliver(change(2, "UPDATE", { id: 1, v: 2 }), change(2, "INSERT", { id: 2, v: 0 }));
    deliver(
      change(3, "DELETE", { id: 1, v: 2 }),
      change(4, "TRUNCATE", null),
      change(5, "DELETE", { id: 7, v: 0 }),
    );
    expect(told).toEqual([
      [{ id: 1, v: 1 }, { id: 1, v: 2 }, 2],
      [null, { id: 2, v: 0 }, 2],
      [{ id: 1, v: 2 }, null, 0],
      [null, null, 0],
    ]);
  });
  test("gives a new view for each batch that touches the rows, and only then, over one map", async () => {
    const { answer, deliver, collection } = open();
    await answer(0, [], "1:1:");
    const first = collection.rows.get();
    deliver(change(2, "INSERT", { id: 1, v: 1 }, { table: "others" }));
    expect(collection.rows.get()).toBe(first);
    deliver(change(2, "INSERT", { id: 1, v: 1 }));
    expect(collection.rows.get()).not.toBe(first);
    expect(first.size).toBe(1);
  });
});

test("whatever the history, the moment of the snapshot and the chunks, the rows are never older than both", async () => {
  const inOrder = (rows: Iterable<Item>) => [...rows].toSorted((a, b) => a.id - b.id);
  const property = async (
    { moments, told }: { moments: readonly Moment[]; told: readonly Change[] },
    pick: number,
    early: number,
    late: number,
    sizes: readonly number[],
  ): Promise<void> => {
    const taken = moments[pick % moments.length];
    if (!taken) throw new Error("there is always the first moment");
    // The stream is open from a place before the snapshot on; the answer arrives anywhere after that.
    const begin = taken.told - (early % (taken.told + 1));
    const answered = begin + (late % (told.length - begin + 1));
    const { deliver, answer, rows, collection } = open();
    for (let at = begin, turn = 0; ; turn++) {
      if (at >= answered && collection.state.get() === "loading") await answer(0, taken.rows, taken.snapshot);
      if (collection.state.get() === "ready") {
        expect(inOrder(rows())).toEqual(inOrder(rowsAfter(told.slice(0, Math.max(at, taken.told)))));
      }
      if (at === told.length) break;
      const next = Math.min(told.length, at + (sizes[turn % sizes.length] ?? 1));
      deliver(...told.slice(at, next));
      at = next;
    }
    expect(collection.state.get()).toBe("ready");
  };
  const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 });
  await fc.assert(fc.asyncProperty(histories, fc.nat(), fc.nat(), fc.nat(), sizes, property), {
    numRuns: 300,
  });
});
