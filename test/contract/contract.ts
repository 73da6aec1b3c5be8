/**
 * The delivery contract: what every way to get at changes promises, written once. Each transport's test file runs it over
 * a real stack; a table of its own for each test keeps them apart.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { FilterInput } from "../../protocol/filter.ts";
import { startStack, type Stack } from "../support/stack.ts";
import { describeAbsence } from "./absence.ts";
import { Reader } from "./reader.ts";
import type { Source } from "./source.ts";
import { describeJoin } from "./join.ts";
import { makeTable, pick, type Table } from "./tables.ts";
import { describeConcurrency } from "./writers.ts";

/** More than the largest statement here changes, and less than what the test of lost history writes. */
const HISTORY_MAX_CHANGES = 22_000;

/** What a test works with: the stack, and readers that are closed when it ends. */
export interface Ground {
  readonly stack: Stack;
  /** A reader whose stream has begun. */
  open(options?: { since?: string; filter?: FilterInput }): Promise<Reader>;
}

export function describeContract(source: Source): void {
  let stack: Stack;
  const readers: Reader[] = [];
  beforeAll(async () => {
    stack = await startStack({ vars: { HISTORY_MAX_CHANGES: String(HISTORY_MAX_CHANGES) } });
  });
  afterAll(() => stack?.stop());
  afterEach(({ task }) => {
    if (task.result?.state === "fail") console.error(stack.logs());
    for (const reader of readers.splice(0)) reader.close();
  });
  const open: Ground["open"] = (options = {}) => {
    const reader = new Reader(source({ url: stack.url, ...options }));
    readers.push(reader);
    return reader.opened();
  };
  const ground: Ground = {
    get stack() {
      return stack;
    },
    open,
  };
  const sql = (text: string, values?: unknown[]) => stack.database.client.query(text, values);
  const table = (columns?: string, options?: { watched: boolean }): Promise<Table> =>
    makeTable(stack.database.client, columns, options);

  it("brings columns and tables by any name", async () => {
    const { name } = await table('id int PRIMARY KEY, "constructor" text, prototype text, "__proto__" text');
    const reader = await open({ filter: { tables: { [name]: { constructor: ["a"] } } } });
    await sql(`INSERT INTO ${name} VALUES (1, 'b', 'b', 'b'), (2, 'a', 'p', 'q')`);
    await reader.count(1);
    expect(reader.changes.map(({ data }) => JSON.stringify(data))).toEqual([
      '{"id":2,"__proto__":"q","prototype":"p","constructor":"a"}',
    ]);
  });

  describe("order", () => {
    it("is that of the statements, each change with what was and what is", async () => {
      const { name } = await table();
      const reader = await open();
      const since = reader.position;
      await sql(`INSERT INTO ${name} VALUES (1, 'a')`);
      await sql(`UPDATE ${name} SET value = 'b' WHERE id = 1`);
      await sql(`UPDATE ${name} SET id = 2`);
      await sql(`DELETE FROM ${name}`);
      await reader.count(5);
      expect(pick(reader.changes, "operation", "key", "data", "old")).toEqual([
        ["INSERT", { id: 1 }, { id: 1, value: "a" }, null],
        ["UPDATE", { id: 1 }, { id: 1, value: "b" }, { value: "a" }],
        ["DELETE", { id: 1 }, { id: 1, value: "b" }, null],
        ["INSERT", { id: 2 }, { id: 2, value: "b" }, null],
        ["DELETE", { id: 2 }, { id: 2, value: "b" }, null],
      ]);
      expect(new Set(reader.changes.map((change) => change.table))).toEqual(new Set([name]));
      expect(reader.fault(since)).toBeNull();
    });

    it("holds for the rows of one statement, however it writes them", async () => {
      const { name } = await table();
      const reader = await open();
      await sql(`INSERT INTO ${name} SELECT i, 'a' FROM generate_series(1, 700) i`);
      await sql(`INSERT INTO ${name} SELECT i, 'b' FROM generate_series(699, 702) i
                 ON CONFLICT (id) DO UPDATE SET value = excluded.value`);
      await sql(`UPDATE ${name} SET value = 'gone' WHERE false`);
      await sql(`DELETE FROM ${name} WHERE id IN (3, 1, 2)`);
      await reader.count(707);
      expect(reader.changes.slice(0, 700).map(({ data }) => data?.["id"])).toEqual(
        Array.from({ length: 700 }, (_, index) => index + 1),
      );
      const upserted = pick(reader.changes.slice(700, 704), "operation", "key");
      expect(new Set(upserted)).toEqual(
        new Set([
          ["UPDATE", { id: 699 }],
          ["UPDATE", { id: 700 }],
          ["INSERT", { id: 701 }],
          ["INSERT", { id: 702 }],
        ]),
      );
      expect(pick(reader.changes.slice(704), "operation")).toEqual([["DELETE"], ["DELETE"], ["DELETE"]]);
    });

    it("shows TRUNCATE between what was before it and what came after", async () => {
      const { name } = await table();
      const reader = await open();
      await sql(`INSERT INTO ${name} VALUES (1, 'a')`);
      await sql(`TRUNCATE ${name}`);
      await sql(`INSERT INTO ${name} VALUES (1, 'b')`);
      await reader.count(3);
      expect(pick(reader.changes, "operation", "key", "data")).toEqual([
        ["INSERT", { id: 1 }, { id: 1, value: "a" }],
        ["TRUNCATE", null, null],
        ["INSERT", { id: 1 }, { id: 1, value: "b" }],
      ]);
    });
  });

  describe("a change that was rolled back", () => {
    it("never shows, a whole transaction's or a savepoint's", async () => {
      const { name } = await table();
      const reader = await open();
      await sql(`BEGIN; INSERT INTO ${name} VALUES (1, 'never'); ROLLBACK`);
      await sql(`BEGIN; INSERT INTO ${name} VALUES (2, 'first'); SAVEPOINT here;
                 INSERT INTO ${name} VALUES (3, 'never'); ROLLBACK TO here;
                 INSERT INTO ${name} VALUES (4, 'last'); COMMIT`);
      await expect(sql(`INSERT INTO ${name} VALUES (5, 'never'), (4, 'double')`)).rejects.toThrow(
        "duplicate",
      );
      await sql(`INSERT INTO ${name} VALUES (6, 'after')`);
      await reader.count(3);
      expect(reader.changes.map(({ data }) => data?.["value"])).toEqual(["first", "last", "after"]);
      expect(new Set(reader.changes.map(({ xid }) => xid)).size).toBe(2);
    });
  });

  describeAbsence(ground);

  describe("a filter", () => {
    it("lets a row be seen entering and leaving, and nothing else", async () => {
      const { name } = await table();
      const other = await table();
      const reader = await open({ filter: { tables: { [name]: { value: ["in", "also in"] } } } });
      await sql(`INSERT INTO ${name} VALUES (1, 'out'), (2, 'in'), (3, 'out')`);
      await sql(`INSERT INTO ${other.name} VALUES (1, 'in')`);
      await sql(`UPDATE ${name} SET value = 'in' WHERE id = 1`);
      await sql(`UPDATE ${name} SET value = 'elsewhere' WHERE id = 3`);
      await sql(`UPDATE ${name} SET value = 'also in' WHERE id = 1`);
      await sql(`UPDATE ${name} SET value = 'out' WHERE id = 1`);
      await sql(`DELETE FROM ${name}`);
      await reader.count(5);
      expect(pick(reader.changes, "operation", "key", "old")).toEqual([
        ["INSERT", { id: 2 }, null],
        ["UPDATE", { id: 1 }, { value: "out" }],
        ["UPDATE", { id: 1 }, { value: "in" }],
        ["UPDATE", { id: 1 }, { value: "also in" }],
        ["DELETE", { id: 2 }, null],
      ]);
    });

    it("is short for columns of orders, and holds for what was missed too", async () => {
      const before = await open();
      const since = before.position;
      await sql(`INSERT INTO orders (id, customer_name, product_name, status) OVERRIDING SYSTEM VALUE
                 VALUES (901, 'a', 'p', 'pending'), (902, 'b', 'p', 'shipped')`);
      await sql(`UPDATE orders SET status = 'delivered' WHERE id IN (901, 902)`);
      await before.count(4);
      const ids = await open({ since, filter: { orderIds: [902] } });
      const statuses = await open({ since, filter: { statuses: ["pending"] } });
      await Promise.all([ids.count(2), statuses.count(2)]);
      expect(pick(ids.changes, "operation", "key")).toEqual([
        ["INSERT", { id: 902 }],
        ["UPDATE", { id: 902 }],
      ]);
      expect(pick(statuses.changes, "operation", "key")).toEqual([
        ["INSERT", { id: 901 }],
        ["UPDATE", { id: 901 }],
      ]);
      expect(ids.fault(since)).not.toMatch(/^a batch/);
    });
  });

  describe("what a row holds", () => {
    it("arrives whole when it is 200 kB of text", async () => {
      const product = `${'Grüße, 世界 \\ " \n 🚀 '.repeat(12_000)}end`;
      expect(product.length).toBeGreaterThan(200_000);
      const reader = await open();
      await sql(`INSERT INTO orders (customer_name, product_name) VALUES ('Ada', $1)`, [product]);
      await reader.count(1);
      expect(reader.changes[0]?.data?.["product_name"]).toBe(product);
    });

    it("keeps every digit of a number that JavaScript cannot hold", async () => {
      const { name } = await table("id bigint PRIMARY KEY, amount numeric");
      const reader = await open();
      await sql(`INSERT INTO ${name} VALUES (9007199254740993, 0.1234567890123456789012345678901234567890)`);
      await sql(`UPDATE ${name} SET amount = 12345678901234567890.5`);
      await reader.count(2);
      expect(pick(reader.changes, "data", "old").map((change) => JSON.stringify(change))).toEqual([
        `[{"id":9007199254740993,"amount":0.1234567890123456789012345678901234567890},null]`,
        `[{"id":9007199254740993,"amount":12345678901234567890.5},{"amount":0.1234567890123456789012345678901234567890}]`,
      ]);
    });
  });

  describe("a statement that changes 20,000 rows", () => {
    it("arrives complete and in order", async () => {
      const big = await table("id int PRIMARY KEY, value text, n int", { watched: false });
      const { name } = big;
      await sql(`INSERT INTO ${name} SELECT i, repeat('x', 100), 0 FROM generate_series(1, 20_000) i`);
      await big.watch();
      const reader = await open();
      const since = reader.position;
      await sql(`UPDATE ${name} SET n = id`);
      await reader.count(20_000);
      expect(reader.fault(since)).toBeNull();
      const wrong = reader.changes.filter(
        ({ data, old }) => data?.["n"] !== data?.["id"] || old?.["n"] !== 0,
      );
      expect(wrong).toEqual([]);
      expect(new Set(reader.changes.map(({ data }) => data?.["id"])).size).toBe(20_000);
    });
  });

  describeConcurrency(ground);
  describeJoin(ground);
}
