import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseSnapshot } from "../../protocol/snapshot.ts";
import { change, histories, rowsAfter, type Item } from "./histories.ts";
import { Pages } from "./pages.ts";

const SHAPE = { table: "items", key: (row: Item) => row.id, filter: null };
/** The ids of the histories are 0 to 3. */
const ALL = [3, 2, 1, 0];

test("whatever the history, each row is never older than its page and what has come, and never lost", () => {
  const cuts = fc.uniqueArray(fc.constantFrom(1, 2, 3), { maxLength: 3 });
  const picks = fc.array(fc.nat(), { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(histories, cuts, picks, fc.nat(), ({ moments, told }, cut, pick, begin) => {
      const borders = [...cut.toSorted((a, b) => b - a), 0];
      // One moment for each page, one after the other; the stream is open from before the first on.
      const taken = borders
        .map((_, i) => (pick[i] ?? 0) % moments.length)
        .toSorted((a, b) => a - b)
        .map((at) => moments[at]);
      let at = Math.min(begin % (told.length + 1), taken[0]?.told ?? 0);
      const pages = new Pages<Item>(SHAPE);
      const expected = new Map<number, number>();
      const check = (): void => {
        for (const id of ALL) {
          const loaded = expected.get(id);
          const row = pages.rows.get(id);
          if (loaded === undefined) expect(row).toBeUndefined();
          else
            expect(row?.v).toBe(
              [...rowsAfter(told.slice(0, Math.max(at, loaded)))].find((other) => other.id === id)?.v,
            );
        }
      };
      // The next page begins below the last row of this one, as a loader that goes by key would have it.
      let upper = 4;
      for (const [i, border] of borders.entries()) {
        const moment = taken[i];
        if (moment === undefined) throw new Error("a moment for each page");
        const rows = moment.rows.filter(({ id }) => id < upper && (id >= border || i === borders.length - 1));
        if (rows.length === 0 && i < borders.length - 1) continue;
        upper = i === borders.length - 1 ? 0 : Math.min(...rows.map(({ id }) => id));
        pages.add(rows, parseSnapshot(moment.snapshot), i === borders.length - 1);
        for (const id of ALL) if (id >= upper && !expected.has(id)) expected.set(id, moment.told);
        check();
        for (let steps = (pick[i] ?? 0) % 7; steps > 0 && at < told.length; steps -= 1) {
          const next = told[at];
          at += 1;
          if (next) pages.apply([next]);
          check();
        }
      }
      while (at < told.length) {
        const next = told[at];
        at += 1;
        if (next) pages.apply([next]);
        check();
      }
    }),
    { numRuns: 500 },
  );
});

test("a row that was deleted before its page was loaded does not come back for the moment that the stream is behind", () => {
  const pages = new Pages<Item>(SHAPE);
  pages.add([{ id: 9, v: 0 }], parseSnapshot("5:5:"), false);
  pages.add([{ id: 1, v: 0 }], parseSnapshot("8:8:"), true); // 4 was inserted by 5 and deleted by 7
  pages.apply([change(5, "INSERT", { id: 4, v: 1 })]);
  expect(pages.rows.has(4)).toBe(false);
  pages.apply([change(8, "INSERT", { id: 5, v: 1 })]);
  expect(pages.rows.has(5)).toBe(true);
});

test("a row that is too large to travel is asked for again, unless its page shows it", () => {
  const large = change(6, "UPDATE", null, { key: { id: 1 }, truncated: true });
  const pages = new Pages<Item>(SHAPE, [large]);
  expect(pages.add([{ id: 1, v: 2 }], parseSnapshot("7:7:"), true).isIncomplete).toBe(false);
  expect(
    new Pages<Item>(SHAPE, [large]).add([{ id: 1, v: 1 }], parseSnapshot("6:6:"), true).isIncomplete,
  ).toBe(true);
  expect(pages.apply([change(8, "UPDATE", null, { key: { id: 1 }, truncated: true })]).isIncomplete).toBe(
    true,
  );
});
