/** A collection of the real TanStack DB over the real SDK. */
import { createCollection } from "@tanstack/db";
import * as fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { rowcastCollectionOptions } from "../../client/adapters/tanstack-db.ts";
import { WriteRefused } from "../../client/index.ts";
import { startSource, until, type Item, type Source } from "./adapters-source.ts";

const ANN = { id: 1, name: "Ann" };
const BEN = { id: 2, name: "Ben" };

const sources: Source[] = [];
afterEach(async () => {
  for (const source of sources.splice(0)) await source.close();
});

/** A collection that has loaded, and every state of it that could be seen since then, as the names in it. */
async function open(...items: Item[]) {
  const source = await startSource(...items);
  sources.push(source);
  const { options, write } = source;
  const env = { random: () => 0 };
  const collection = createCollection(rowcastCollectionOptions<Item>({ ...options, write, env }));
  await collection.preload();
  const names = () =>
    collection.toArray
      .toSorted((a, b) => a.id - b.id)
      .map(({ name }) => name)
      .join(" ");
  const seen: string[] = [];
  const watch = (look: () => void) => {
    const subscription = collection.subscribeChanges(look, { includeInitialState: true });
    return () => subscription.unsubscribe();
  };
  watch(() => seen.push(names()));
  const shows = (text: string) => until({ subscribe: watch }, () => names() === text);
  return { source, collection, names, seen, shows };
}

test("has the rows that are loaded, and follows what changes", async () => {
  const { source, collection, shows } = await open(ANN);
  expect(collection.toArray).toMatchObject([ANN]);
  source.put(BEN);
  await shows("Ann Ben");
  source.put({ ...ANN, name: "Anna" });
  await shows("Anna Ben");
  source.remove(2);
  await shows("Anna");
  source.truncate();
  await shows("");
  source.put(BEN);
  await shows("Ben");
  expect(collection.get(2)).toMatchObject(BEN);
});

test("what is inserted is there at once, and its server's row takes its place without a gap and without a double", async () => {
  const { source, collection, names, seen } = await open(ANN);
  source.isHeld = true;
  const done = source.nextDone();
  seen.length = 0;
  const inserted = collection.insert({ id: -1, name: "Cat" });
  expect(names()).toBe("Cat Ann");
  await done;
  expect(collection.get(-1)).toMatchObject({ name: "Cat" });
  source.isHeld = false;
  await inserted.when("settled");
  expect(collection.get(101)).toMatchObject({ name: "Cat" });
  expect(collection.get(-1)).toBeUndefined();
  expect(new Set(seen)).toEqual(new Set(["Cat Ann", "Ann Cat"]));
});

test("updates and deletes are sent with what was changed, and confirmed by the stream", async () => {
  const { source, collection, names } = await open(ANN, BEN);
  const updated = collection.update(1, (draft) => {
    draft.name = "Anna";
  });
  const deleted = collection.delete(2);
  expect(names()).toBe("Anna");
  await Promise.all([updated.when("settled"), deleted.when("settled")]);
  expect(names()).toBe("Anna");
  expect(source.done.size).toBe(2);
});

test("what is refused is rolled back, with the reason", async () => {
  const { source, collection, names } = await open(ANN);
  source.fate = "refused";
  const updated = collection.update(1, (draft) => {
    draft.name = "Anna";
  });
  expect(names()).toBe("Anna");
  await expect(updated.when("settled")).rejects.toThrow(WriteRefused);
  expect(names()).toBe("Ann");
});

test("what nobody answered is sent again under its key when the stream is there again: done once", async () => {
  const { source, collection, names } = await open(ANN);
  source.fate = "answer-lost";
  const done = source.nextDone();
  const inserted = collection.insert({ id: -1, name: "Cat" });
  await done;
  source.fate = "answered";
  source.client.reconnect();
  await inserted.when("settled");
  expect(names()).toBe("Ann Cat");
  expect(source.done.size).toBe(1);
});

test("a row can be changed while it is being created", async () => {
  const { source, collection, names } = await open();
  const inserted = collection.insert({ id: -1, name: "Cat" });
  const updated = collection.update(-1, (draft) => {
    draft.name = "Cathy";
  });
  await Promise.all([inserted.when("settled"), updated.when("settled")]);
  expect(names()).toBe("Cathy");
  expect(collection.get(101)).toMatchObject({ name: "Cathy" });
  expect(source.done.size).toBe(2);
});

test("after a reset everything is loaded anew, and until it is, what is written stays", async () => {
  const { source, collection, names, seen } = await open(ANN, BEN);
  source.isHeld = true;
  source.put({ id: 3, name: "Dan" });
  source.remove(2);
  const { promise, resolve } = Promise.withResolvers<void>();
  source.loading = promise;
  seen.length = 0;
  const done = source.nextDone();
  const updated = collection.update(1, (draft) => {
    draft.name = "Anna";
  });
  await done;
  const load = source.nextLoad();
  source.reset();
  await load;
  await new Promise((resolve) => setImmediate(resolve));
  expect(names()).toBe("Anna Ben");
  resolve();
  await updated.when("settled");
  expect(names()).toBe("Anna Dan");
  expect(new Set(seen)).toEqual(new Set(["Anna Ben", "Anna Dan"]));
});

test("a reset is shown even while a write waits for the server", async () => {
  const { source, collection, shows } = await open(ANN, BEN);
  source.fate = "lost";
  const updated = collection.update(1, (draft) => {
    draft.name = "Anna";
  });
  source.isHeld = true;
  source.remove(2);
  source.reset();
  await shows("Anna");
  source.fate = "answered";
  source.isHeld = false;
  source.client.reconnect();
  await updated.when("settled");
  expect(collection.toArray).toMatchObject([{ id: 1, name: "Anna" }]);
});

test("loaded anew for a row that was too large to travel, it has lost what was deleted meanwhile", async () => {
  const { source, shows } = await open(ANN, BEN);
  const { promise, resolve } = Promise.withResolvers<void>();
  source.loading = promise;
  const load = source.nextLoad();
  source.putLarge({ ...ANN, name: "Anna" });
  await load;
  const xid = source.remove(2);
  await source.client.seen(xid);
  resolve();
  await shows("Anna");
});

test("without a way to write it is only read; cleaned up, it lets go of the stream, and can begin again", async () => {
  const source = await startSource(ANN);
  sources.push(source);
  const collection = createCollection(rowcastCollectionOptions<Item>(source.options));
  await collection.preload();
  expect(() => collection.insert(BEN)).toThrow();
  await collection.cleanup();
  const reset = new Promise((resolve) => source.client.on("reset", resolve));
  source.reset();
  await reset;
  expect(source.loads).toBe(1);
  await collection.preload();
  expect(collection.toArray).toMatchObject([ANN]);
});

test("whatever is written there, here, lost, emptied and reset, in the end the rows are the source's", async () => {
  const id = fc.integer({ min: 1, max: 4 });
  const name = fc.constantFrom("a", "b", "c");
  const step = fc.oneof(
    fc.record({ do: fc.constant("put" as const), id, name }),
    fc.record({ do: fc.constant("remove" as const), id }),
    fc.record({ do: fc.constantFrom("insert" as const, "update" as const, "delete" as const), id, name }),
    fc.record({
      do: fc.constant("fate" as const),
      fate: fc.constantFrom("answered", "refused", "answer-lost"),
    }),
    fc.constant({ do: "truncate" as const }),
    fc.constant({ do: "reset" as const }),
    fc.constant({ do: "hold" as const }),
    fc.constant({ do: "pause" as const }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const { source, collection, shows } = await open(ANN, BEN);
      const settled: Promise<unknown>[] = [];
      let drafts = 0;
      for (const each of steps) {
        if (each.do === "put") source.put({ id: each.id, name: each.name });
        else if (each.do === "remove") source.remove(each.id);
        else if (each.do === "truncate") source.truncate();
        else if (each.do === "hold") source.isHeld = !source.isHeld;
        else if (each.do === "fate") source.fate = each.fate;
        else if (each.do === "pause") await new Promise((resolve) => setTimeout(resolve, 1));
        else if (each.do === "reset") source.reset();
        else if (each.do === "insert") {
          const transaction = collection.insert({ id: --drafts, name: each.name });
          settled.push(transaction.when("settled").catch(() => undefined));
        } else if (collection.has(each.id)) {
          const transaction =
            each.do === "delete"
              ? collection.delete(each.id)
              : collection.update(each.id, (draft) => {
                  draft.name = each.name;
                });
          settled.push(transaction.when("settled").catch(() => undefined));
        }
      }
      source.fate = "answered";
      source.isHeld = false;
      source.client.reconnect();
      await Promise.all(settled);
      source.put({ id: 1000, name: "last" });
      await shows(source.names());
      await source.close();
    }),
    { numRuns: 60 },
  );
});
