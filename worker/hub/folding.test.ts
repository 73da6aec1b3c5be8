import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Change, Row } from "../../protocol/change.ts";
import { changePasses, rowPasses, type Filter } from "../../protocol/filter.ts";
import { throughPin } from "../../protocol/pin.ts";
import { SEPARATOR } from "../change-log/history.ts";
import { Folding } from "./folding.ts";

type Step = { table: "orders" | "items"; id: number; status: string; kind: "put" | "delete" | "truncate" };

/** A true history: what Postgres could have written, from steps that mean nothing where they do not apply. */
function history(steps: readonly Step[]): Change[] {
  const tables: Record<string, Map<number, Row>> = { orders: new Map(), items: new Map() };
  const changes: Change[] = [];
  for (const { table, id, status, kind } of steps) {
    const rows = tables[table] ?? new Map<number, Row>();
    const before = rows.get(id);
    const common = {
      seq: changes.length + 1,
      xid: String(changes.length + 1),
      table,
      timestamp: "2026-11-21T00:00:00Z",
    };
    if (kind === "truncate") {
      rows.clear();
      changes.push({ ...common, operation: "TRUNCATE", key: null, data: null, old: null });
    } else if (kind === "delete") {
      if (before === undefined) continue;
      rows.delete(id);
      changes.push({ ...common, operation: "DELETE", key: { id }, data: before, old: null });
    } else {
      const data = { id, status, seen: `${status} ${changes.length}` };
      rows.set(id, data);
      const operation = before === undefined ? "INSERT" : "UPDATE";
      const old =
        before === undefined
          ? null
          : { seen: before.seen, ...(before.status !== status && { status: before.status }) };
      changes.push({ ...common, operation, key: { id }, data, old });
    }
  }
  return changes;
}

/** What a live collection does with changes. */
function apply(rows: Map<string, Row>, changes: readonly Change[], filter: Filter | null): Map<string, Row> {
  for (const { table, operation, key, data } of changes) {
    if (operation === "TRUNCATE") {
      for (const name of rows.keys()) if (name.startsWith(table)) rows.delete(name);
      continue;
    }
    const name = `${table} ${JSON.stringify(key)}`;
    if (operation !== "DELETE" && data !== null && rowPasses(filter, table, data)) rows.set(name, data);
    else rows.delete(name);
  }
  return rows;
}

function foldAll(changes: readonly Change[], filter: Filter | null, pin: Filter | null = null): Change[] {
  const folding = new Folding(pin);
  // In batches of three, as they would come from the log.
  for (let i = 0; i < changes.length; i += 3) {
    folding.add(
      changes
        .slice(i, i + 3)
        .map((change) => JSON.stringify(change))
        .join(SEPARATOR),
    );
  }
  return JSON.parse(`[${folding.select(filter).text}]`) as Change[];
}

const step: fc.Arbitrary<Step> = fc.record({
  table: fc.constantFrom("orders" as const, "items" as const),
  id: fc.integer({ min: 1, max: 4 }),
  status: fc.constantFrom("pending", "shipped"),
  kind: fc.constantFrom(
    "put" as const,
    "put" as const,
    "put" as const,
    "delete" as const,
    "truncate" as const,
  ),
});
const steps = fc.array(step, { maxLength: 40 });
const filters = fc.constantFrom<Filter | null>(
  null,
  { orders: { status: ["pending"] } },
  { orders: {}, items: { status: ["shipped"] } },
);

describe("folded changes", () => {
  it("end in the same rows as all of them, whatever the client had before and whatever its filter", () => {
    fc.assert(
      fc.property(steps, fc.nat(), filters, (all, at, filter) => {
        const changes = history(all);
        const seen = changes.slice(0, at % (changes.length + 1));
        const missed = changes.slice(seen.length);
        const told = (some: readonly Change[]): Change[] =>
          some.filter((change) => changePasses(filter, change));
        const before = (): Map<string, Row> => apply(new Map(), told(seen), filter);
        expect(apply(before(), foldAll(missed, filter), filter)).toEqual(
          apply(before(), told(missed), filter),
        );
      }),
    );
  });

  it("are one for each row, in the order of the last of each, and say how many they stand for", () => {
    fc.assert(
      fc.property(steps, (all) => {
        const changes = history(all);
        const folded = foldAll(changes, null);
        const keys = folded.map(({ table, key }) => `${table} ${JSON.stringify(key)}`);
        expect(new Set(keys).size).toBe(keys.length);
        const seqs = folded.map(({ seq }) => seq);
        expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
        expect(folded.reduce((sum, change) => sum + 1 + (change.folded ?? 0), 0)).toBe(changes.length);
      }),
    );
  });

  it("under a pin end in the same rows as all that is seen through it, and tell of no others", () => {
    const pin: Filter = { orders: { status: ["pending"] } };
    const wishes = fc.constantFrom<Filter | null>(
      null,
      { orders: { id: [1, 2] } },
      { orders: {}, items: {} },
    );
    fc.assert(
      fc.property(steps, fc.nat(), wishes, (all, at, filter) => {
        const changes = history(all);
        const seen = changes.slice(0, at % (changes.length + 1));
        const missed = changes.slice(seen.length);
        const told = (some: readonly Change[]): Change[] =>
          some
            .flatMap((change) => throughPin(pin, change) ?? [])
            .filter((change) => changePasses(filter, change));
        const before = (): Map<string, Row> => apply(new Map(), told(seen), filter);
        const folded = foldAll(missed, filter, pin);
        expect(JSON.stringify(folded)).not.toMatch(/shipped|items/);
        const rows = apply(before(), folded, filter);
        expect(rows).toEqual(apply(before(), told(missed), filter));
        const inside = [...apply(new Map(), changes, null)].filter(
          ([name, row]) =>
            name.startsWith("orders") && rowPasses(pin, "orders", row) && rowPasses(filter, "orders", row),
        );
        expect(rows).toEqual(new Map(inside));
      }),
    );
  });

  it("keep every digit of a number", () => {
    const folding = new Folding();
    const text = (seq: number): string =>
      `{"seq":${seq},"xid":"1","table":"t","operation":"UPDATE","key":{"id":1},"data":{"n":9007199254740993},"old":null,"timestamp":""}`;
    folding.add([text(1), text(2)].join(SEPARATOR));
    expect(folding.select(null).text).toContain('"n":9007199254740993');
  });
});
