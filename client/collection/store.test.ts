import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { change, type Item } from "./histories.ts";
import { Store } from "./store.ts";

const noOverlay = (_key: unknown, row: Item | undefined) => row;

/** A store over a map that is changed as `Pages` does: first the map, then the store is told. */
function open(rows: readonly Item[] = []) {
  const server = new Map<string | number, Item>(rows.map((row) => [row.id, row]));
  const store = new Store<Item>(({ id }) => id);
  store.replace(server, noOverlay);
  store.settle();
  const put = (...items: readonly (Item | { readonly gone: number })[]): void => {
    const done = items.map((item) => {
      const id = "gone" in item ? item.gone : item.id;
      const before = server.get(id) ?? null;
      if ("gone" in item) server.delete(id);
      else server.set(id, item);
      const after = server.get(id) ?? null;
      return { change: change(1, "UPDATE", after ?? before), before, after };
    });
    store.change(
      done.filter(({ before, after }) => before !== null || after !== null),
      noOverlay,
    );
    store.settle();
  };
  return { server, store, put };
}

describe("a row that is followed", () => {
  test("is told when it changes, comes and goes, and not for the others", () => {
    const { store, put } = open([{ id: 1, v: 1 }]);
    const told: unknown[] = [];
    const end = store.row(1).subscribe((row) => told.push(row?.v));
    put({ id: 2, v: 5 });
    put({ id: 1, v: 2 }, { id: 1, v: 3 });
    put({ gone: 1 });
    put({ id: 1, v: 9 });
    end();
    put({ id: 1, v: 10 });
    expect(told).toEqual([3, undefined, 9]);
    expect(store.row(1).get()?.v).toBe(10);
  });
});

describe("a query", () => {
  test("whatever changes, gives what filtering and sorting all rows would, and speaks only when that is another", () => {
    const item = fc.record({ id: fc.nat(12), v: fc.nat(4) });
    const step = fc.array(fc.oneof(item, fc.record({ gone: fc.nat(12) })), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        fc.uniqueArray(item, { selector: ({ id }) => id }),
        fc.array(step, { maxLength: 12 }),
        fc.option(fc.nat(6), { nil: undefined }),
        (rows, steps, limit) => {
          const { server, store, put } = open(rows);
          const where = ({ v }: Item) => v > 0;
          const compare = (a: Item, b: Item) => b.v - a.v;
          const query = store.query({ where, compare, ...(limit !== undefined && { limit }) });
          const model = () =>
            [...server.values()]
              .filter(where)
              .toSorted((a, b) => compare(a, b) || a.id - b.id)
              .slice(0, limit);
          let told: readonly Item[] | null = null;
          query.subscribe((result) => {
            told = result;
          });
          expect(query.get()).toEqual(model());
          for (const items of steps) {
            const before = model();
            told = null;
            put(...items);
            expect(query.get()).toEqual(model());
            if (told === null) expect(model()).toEqual(before);
          }
        },
      ),
    );
  });

  test("is right too when nobody follows it, and is told of pages, of a table that is emptied, and of another table", () => {
    const { server, store } = open([{ id: 1, v: 1 }]);
    const query = store.query({});
    expect(query.get()).toHaveLength(1);
    let told = 0;
    query.subscribe(() => (told += 1));
    for (const id of [5, 3]) server.set(id, { id, v: 0 });
    store.add([5, 3], noOverlay);
    store.settle();
    expect(query.get().map(({ id }) => id)).toEqual([1, 3, 5]);
    server.clear();
    store.change([{ change: change(2, "TRUNCATE", null), before: null, after: null }], noOverlay);
    store.settle();
    expect(query.get()).toEqual([]);
    store.replace(new Map([[7, { id: 7, v: 7 }]]), noOverlay);
    store.settle();
    expect(query.get()).toEqual([{ id: 7, v: 7 }]);
    expect(told).toBe(3);
  });

  test("that nobody follows is the same as long as the rows are: frameworks compare what they get", () => {
    const { store, put } = open([{ id: 1, v: 1 }]);
    const query = store.query({});
    const before = query.get();
    expect(query.get()).toBe(before);
    const end = query.subscribe(() => undefined);
    expect(query.get()).toBe(before);
    end();
    put({ id: 2, v: 2 });
    expect(query.get()).toEqual([
      { id: 1, v: 1 },
      { id: 2, v: 2 },
    ]);
  });

  test("costs what changes: a thousand changes among 100,000 sorted rows take less time than sorting them ten times", () => {
    const rows = Array.from({ length: 100_000 }, (_, id) => ({ id, v: (id * 7919) % 1000 }));
    const { store, put } = open(rows);
    const compare = (a: Item, b: Item) => a.v - b.v;
    store.query({ compare, limit: 50 }).subscribe(() => undefined);
    const time = (run: () => void): number => {
      const from = performance.now();
      run();
      return performance.now() - from;
    };
    const sorting = time(() => rows.toSorted((a, b) => compare(a, b) || a.id - b.id));
    const changing = time(() => {
      for (let n = 0; n < 1000; n += 1) put({ id: (n * 97) % 100_000, v: n });
    });
    expect(changing).toBeLessThan(10 * sorting);
  });
});
