/** Which history a cursor belongs to, what pruning keeps, and who may read. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { OutboxChange } from "../../protocol/ingest.ts";
import { failure, Outbox } from "./outbox.ts";

let outbox: Outbox;

beforeAll(async () => {
  outbox = await Outbox.open();
  await outbox.sql(`CREATE TABLE t (id int PRIMARY KEY); SELECT rowcast.watch('t')`);
});
afterAll(() => outbox.database.drop());
beforeEach(() => outbox.sql(`TRUNCATE t; TRUNCATE rowcast.changes`));

describe("check_history", () => {
  async function check(state: {
    source?: string;
    cursor?: string;
    last?: OutboxChange | undefined;
  }): Promise<unknown> {
    const { source = null, cursor = null, last } = state;
    const [row] = await outbox.sql(`SELECT rowcast.check_history($1, $2, $3, $4, $5) AS reason`, [
      source,
      cursor,
      last?.id ?? null,
      last?.xid ?? null,
      last?.timestamp ?? null,
    ]);
    return row?.["reason"];
  }

  async function state(): Promise<{ source: string; cursor: string; last: OutboxChange }> {
    await outbox.sql(`INSERT INTO t SELECT coalesce(max(id), 0) + 1 FROM t`);
    const last = (await outbox.next()).at(-1);
    const [row] = await outbox.sql<{ source: string }>(`SELECT rowcast.source()`);
    if (!row || !last) throw new Error("nothing was told");
    return { source: row.source, cursor: outbox.cursor, last };
  }

  it("is content with what it has itself handed out", async () => {
    expect(await check(await state())).toBeNull();
    expect(await check({})).toBeNull();
  });

  it("knows another database by its source, a copy of this one too", async () => {
    expect(await check({ ...(await state()), source: "other" })).toMatch(/another database/);
    const copy = await Outbox.open();
    const [there] = await copy.sql<{ source: string }>(`SELECT rowcast.source()`);
    expect(await check({ source: there?.source ?? "" })).toMatch(/another database/);
    await copy.database.drop();
  });

  it("knows a cursor from the future, in pages too", async () => {
    expect(await check({ cursor: "999999999:999999999:" })).toMatch(/gone back in time/);
    expect(await check({ cursor: "1:1:|999999999:999999999:|5" })).toMatch(/gone back in time/);
  });

  it("knows a last change that has gone or is another one", async () => {
    const { last } = await state();
    expect(await check({ last: { ...last, xid: "3" } })).toMatch(/another one/);
    const micros = last.timestamp.replace(/(\d)Z$/, (_, digit) => `${(Number(digit) + 1) % 10}Z`);
    expect(await check({ last: { ...last, timestamp: micros } })).toMatch(/another one/);
    await outbox.sql(`DELETE FROM rowcast.changes`);
    expect(await check({ last })).toMatch(/not in the outbox/);
  });
});

describe("prune", () => {
  const prune = async (
    cursor: string,
    last: string | null,
    retention: string,
    max = 5000,
  ): Promise<unknown> =>
    (await outbox.sql(`SELECT rowcast.prune($1, $2, $3, $4) AS n`, [cursor, last, retention, max]))[0]?.["n"];
  const left = async (): Promise<unknown[]> =>
    (await outbox.sql(`SELECT key -> 'id' AS id FROM rowcast.changes ORDER BY rowcast.changes.id`)).map(
      ({ id }) => id,
    );

  it("deletes what was acknowledged and is old enough, but never the last change", async () => {
    await outbox.sql(`INSERT INTO t VALUES (1), (2), (3)`);
    await outbox.next();
    const acknowledged = outbox.cursor;
    await outbox.sql(`INSERT INTO t VALUES (4)`);
    const [third] = await outbox.sql<{ id: string }>(
      `SELECT id::text FROM rowcast.changes WHERE key @> '{"id":3}'`,
    );
    expect(await prune(acknowledged, third?.id ?? null, "1 hour")).toBe(0);
    expect(await prune(acknowledged, third?.id ?? null, "0", 1)).toBe(1);
    expect(await prune(acknowledged, third?.id ?? null, "0")).toBe(1);
    expect(await left()).toEqual([3, 4]);
  });

  it("keeps what is committed but not acknowledged, also within a window that is read in pages", async () => {
    const late = await outbox.connect();
    await late.query(`BEGIN; INSERT INTO t VALUES (1)`);
    await outbox.sql(`INSERT INTO t VALUES (2)`);
    await outbox.next();
    await late.query(`COMMIT`);
    await late.end();
    expect(await prune(outbox.cursor, null, "0")).toBe(1);
    expect(await left()).toEqual([1]);
    const [base = ""] = outbox.cursor.split("|");
    expect(await prune(`${base}|999999:999999:|99999999`, null, "0")).toBe(0);
    expect(await prune("999999999:999999999:", null, "0")).toBe(0);
    expect(await outbox.next()).toHaveLength(1);
  });

  it("does not walk over what it deleted before, which an old transaction keeps from vacuum", async () => {
    const old = await outbox.connect();
    onTestFinished(() => old.end());
    await old.query(`BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM t`);
    await outbox.sql(`INSERT INTO t SELECT generate_series(1, 2000)`);
    await outbox.sql(`DELETE FROM t WHERE id % 2 = 0`);
    await outbox.next();
    expect(await prune(outbox.cursor, null, "0")).toBe(3000);
    await outbox.sql(`DO $$ BEGIN FOR i IN 1..50 LOOP INSERT INTO t VALUES (-i); END LOOP; END $$`);
    await outbox.next();
    const walked = async (query: string, params: unknown[]): Promise<number> => {
      const session = await outbox.connect();
      await session.query("BEGIN");
      await session.query(query, params);
      const { rows } = await session.query<{ n: number }>(
        `SELECT sum(pg_stat_get_xact_tuples_returned(indexrelid))::int AS n FROM pg_index
         WHERE indrelid = 'rowcast.changes'::regclass`,
      );
      await session.end();
      return rows[0]?.n ?? Number.NaN;
    };
    // What was deleted were over 200 rows of the outbox, a hundred of each statement by themselves.
    expect(await walked(`SELECT rowcast.prune($1, NULL, '0')`, [outbox.cursor])).toBeLessThanOrEqual(110);
    expect(await walked(`SELECT rowcast.outbox_size()`, [])).toBeLessThanOrEqual(110);
  });

  it("finds what a transaction wrote before and committed after it came by", async () => {
    await outbox.sql(`UPDATE rowcast.pruned SET looked_at = '-infinity'`);
    const late = await outbox.connect();
    await late.query(`BEGIN; INSERT INTO t VALUES (1)`);
    await outbox.sql(`INSERT INTO t VALUES (2)`);
    await outbox.next();
    expect(await prune(outbox.cursor, null, "0")).toBe(1);
    await late.query(`COMMIT`);
    await late.end();
    await outbox.next();
    expect(await prune(outbox.cursor, null, "0")).toBe(0); // not yet
    for (const looked of ["now() - interval '11 minutes'", "now() + interval '1 day'"]) {
      await outbox.sql(
        `INSERT INTO t SELECT max(id) + 1 FROM t; UPDATE rowcast.pruned SET looked_at = ${looked}`,
      );
      await outbox.next();
      expect(await prune(outbox.cursor, null, "0")).toBeGreaterThan(0);
      expect(await left()).toEqual([]);
    }
  });

  it("forgets idempotency keys after a day", async () => {
    await outbox.sql(`INSERT INTO rowcast.idempotency_keys (key, fingerprint, created_at)
      VALUES ('old', 'f', now() - interval '25 hours'), ('new', 'f', now())`);
    await prune(outbox.cursor, null, "1 hour");
    expect(await outbox.sql(`SELECT key FROM rowcast.idempotency_keys`)).toEqual([{ key: "new" }]);
  });
});

describe("permissions", () => {
  it("a role that may only insert orders is captured, and sees nothing of the outbox", async () => {
    const role = `writer_${process.pid}`;
    await outbox.sql(
      `CREATE ROLE ${role}; GRANT INSERT ON orders TO ${role}; GRANT CREATE ON SCHEMA public TO ${role}`,
    );
    await outbox.next();
    try {
      const writer = await outbox.connect();
      await writer.query(`SET ROLE ${role}`);
      await writer.query(`INSERT INTO orders (customer_name, product_name) VALUES ('a', 'b')`);
      expect(await outbox.next()).toMatchObject([{ table: "orders", operation: "INSERT" }]);
      for (const statement of [
        `SELECT * FROM rowcast.changes`,
        `SELECT * FROM rowcast.read(null)`,
        `SELECT rowcast.prune('1:1:', 0, '0')`,
        `SELECT rowcast.watch('orders')`,
        `CREATE TABLE forged (id int);
         CREATE TRIGGER f AFTER INSERT ON forged REFERENCING NEW TABLE AS new_rows
         FOR EACH STATEMENT EXECUTE FUNCTION rowcast.capture('orders', '{id}', '', '')`,
      ])
        expect(await failure(writer.query(statement))).toMatchObject({ code: "42501" });
      await writer.query(`CREATE TABLE own (id int); ALTER TABLE own ADD COLUMN x int; DROP TABLE own`);
      await writer.end();
    } finally {
      await outbox.sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    }
  });
});
