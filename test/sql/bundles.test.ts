/** Bundles: what a large statement did is told like what many small ones did, however it is paged. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Outbox, read } from "./outbox.ts";

let outbox: Outbox;

beforeAll(async () => {
  outbox = await Outbox.open();
});
afterAll(() => outbox.database.drop());

/** The text of all that is new, a change each, without what differs from statement to statement; sorted. */
async function told(): Promise<string[]> {
  const texts: string[] = [];
  for (let more = true; more;) {
    const [page] = await outbox.sql<{ changes: string; next_cursor: string; more: boolean }>(
      "SELECT * FROM rowcast.read($1, 500, 100000000)",
      [outbox.cursor],
    );
    if (page === undefined) throw new Error("rowcast.read gave no row");
    texts.push(
      ...page.changes
        .slice(1, -1)
        .split(/(?<="\}),(?=\{"id")/)
        .map((text) =>
          text.replace(/^\{"id":"\d+","xid":"\d+","table":"\w+"/, "").replace(/,"timestamp":"[^"]+"\}$/, ""),
        ),
    );
    ({ next_cursor: outbox.cursor, more } = page);
  }
  return texts.filter((text) => text !== "").toSorted();
}

async function bundles(): Promise<number> {
  const [row] = await outbox.sql<{ n: number }>(
    "SELECT count(*)::int AS n FROM rowcast.changes WHERE bundle IS NOT NULL",
  );
  return row?.n ?? 0;
}

const ROWS = 260;

/** A table, and values for it and for its UPDATE, in which `i` is the number of the row. */
const TABLES: [name: string, columns: string, insert: string, update: string, options?: string][] = [
  [
    "every kind of type",
    `id int PRIMARY KEY, b boolean, i2 smallint, i8 bigint, num numeric, f4 real, f8 double precision, t text, v varchar(9),
     c char(4), u uuid, d date, ts timestamp, tz timestamptz, iv interval, j json, jb jsonb, a int[], by bytea, ip inet,
     m money, p point, e mood, dom positive, comp pair`,
    `i, i % 2 = 0, i, i * 10000000000, CASE i % 4 WHEN 0 THEN 'NaN' ELSE i / 7.0 END, i / 3.0, i * 1e30,
     E'line\\nfeed "quoted" \\\\ \\u0001 ' || chr(8232) || ' 😀' || i, left('v' || i, 9), 'c', md5(i::text)::uuid,
     CASE i % 3 WHEN 0 THEN 'infinity' ELSE date '2026-01-01' + i END, timestamp '2026-01-01 12:00' + i * interval '1 ms',
     timestamptz '2026-01-01 12:00+02' + i * interval '1 us', i * interval '1 day 1 second', '{"b": 1, "b":  2,"a":null}',
     '{"z":1,"aa":[1, 2]}', ARRAY[i, NULL], '\\xdead', '::1', 12.5, point(i, 1), 'good', i, ROW(i, 'x')::pair`,
    `b = NOT b, i2 = NULL, num = num + 0.10, f8 = NULL, t = NULLIF(t || 'x', ''), c = 'd', tz = NULL, j = '{"b":1}',
     jb = jb || '{"n":null}', e = 'bad', dom = dom + 1, a = NULL, comp = NULL`,
  ],
  [
    "nothing but nulls",
    "id int PRIMARY KEY, a int, b text, c jsonb",
    "i, NULL, NULL, NULL",
    "a = 1, b = '', c = 'null'",
  ],
  [
    "floats of every magnitude",
    "id int PRIMARY KEY, f4 real, f8 double precision, near real, beside double precision, none double precision",
    `i, ((-1) ^ i * 10.0 ^ (i % 60 - 30))::real, (-1) ^ i * 10.0 ^ (i % 200 - 100),
     CASE i % 6 WHEN 0 THEN 999999.94 WHEN 1 THEN 1e6 WHEN 2 THEN 0.0001 WHEN 3 THEN 0.000099 WHEN 4 THEN '-0' ELSE 'NaN' END,
     CASE i % 6 WHEN 0 THEN 999999999999999.9 WHEN 1 THEN 1e15 WHEN 2 THEN 0.0001 WHEN 3 THEN 0.00009999999999999999 WHEN 4 THEN '-0'
       ELSE '-Infinity' END::float8, NULLIF(i % 2, 0) / 3.0::float8`,
    "f4 = 1 / NULLIF(f4, 0), f8 = -f8, near = beside, beside = near, none = none",
  ],
  ["a key alone", "id int PRIMARY KEY", "i", "id = id"],
  [
    "a key of several columns, named oddly",
    `"Ä""b" int, "a'\\b" text, "\\" numeric, bb int, PRIMARY KEY ("a'\\b", "Ä""b", "\\")`,
    "i, 'k''' || i, 1.50, 0",
    "bb = bb + 1",
  ],
  [
    "some columns",
    "id int PRIMARY KEY, a int, b text, c int",
    "i, 1, 'b', 2",
    "a = a + 1, c = 3",
    ", '{b,a}'",
  ],
  [
    "a hundred columns",
    `id int PRIMARY KEY, ${Array.from({ length: 99 }, (_, n) => `column_${n} int`).join(", ")}`,
    `i, ${Array.from({ length: 99 }, (_, n) => n).join(", ")}`,
    "column_3 = -1, column_98 = NULL, column_50 = 7",
  ],
];

it.each(TABLES)("tell %s to the character", async (_, columns, insert, update, options = "") => {
  await outbox.sql(`DROP TABLE IF EXISTS t, u; DROP TYPE IF EXISTS mood, pair CASCADE; DROP DOMAIN IF EXISTS positive;
    CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE DOMAIN positive AS int CHECK (value > 0);
    CREATE TYPE pair AS (x int, y text);
    CREATE TABLE t (${columns}); CREATE TABLE u (${columns});
    SELECT rowcast.watch('t'${options}); SELECT rowcast.watch('u'${options})`);
  outbox.cursor = (await read(outbox.database.client, null)).cursor;
  /** The statement for all rows of t, and the same for each row of u by itself. */
  const statements = [
    [
      `INSERT INTO t SELECT ${insert} FROM generate_series(1, ${ROWS}) i`,
      `FOR i IN 1 .. ${ROWS} LOOP INSERT INTO u SELECT ${insert}; END LOOP`,
    ],
    [
      `UPDATE t SET ${update}`,
      `FOR place IN SELECT ctid FROM u LOOP UPDATE u SET ${update} WHERE ctid = place; END LOOP`,
    ],
    ["DELETE FROM t", "FOR place IN SELECT ctid FROM u LOOP DELETE FROM u WHERE ctid = place; END LOOP"],
  ] as const;
  for (const [together, oneByOne] of statements) {
    await outbox.sql("TRUNCATE rowcast.changes");
    await outbox.sql(together);
    const isSilent = together.endsWith("id = id");
    expect((await bundles()) > 0).toBe(!isSilent);
    const bundled = await told();
    await outbox.sql(`DO $do$ DECLARE place tid; BEGIN ${oneByOne}; END $do$`);
    expect(bundled).toEqual(await told());
    expect(bundled).toHaveLength(isSilent ? 0 : ROWS);
  }
});

describe("a page", () => {
  beforeAll(() =>
    outbox.sql(
      `DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, body text); SELECT rowcast.watch('t')`,
    ),
  );

  /** All that is new, read in pages of a size of its own each. */
  async function page(sizes: () => [maxChanges: number, maxBytes: number], all: number): Promise<string[]> {
    let cursor = outbox.cursor;
    const cursors = new Set([cursor]);
    const changes: string[] = [];
    for (let more = true; more;) {
      const [maxChanges, maxBytes] = sizes();
      const found = await read(outbox.database.client, cursor, maxChanges, maxBytes);
      expect(found.count).toBe(found.changes.length);
      expect(found.count).toBeGreaterThan(0);
      expect(found.count).toBeLessThanOrEqual(maxChanges);
      if (found.count > 1) expect(found.bytes).toBeLessThanOrEqual(maxBytes);
      expect(cursors.has(found.cursor)).toBe(false);
      cursors.add(found.cursor);
      for (const { key, truncated = false } of found.changes)
        changes.push(`${JSON.stringify(key?.["id"])} ${truncated}`);
      ({ cursor, more } = found);
      const waiting = await outbox.sql<{ n: number }>("SELECT rowcast.waiting($1, 100000) AS n", [cursor]);
      expect(waiting).toEqual([{ n: all - changes.length }]);
    }
    return changes;
  }
  it.each([
    ["one change", () => [1, 1_000_000]],
    ["seven changes", () => [7, 1_000_000]],
    ["as many as a bundle may hold", () => [700, 1_000_000]],
    ["4,000 bytes", () => [100_000, 4_000]],
    ["100,000 bytes", () => [100_000, 100_000]],
    ["any size", () => [1 + Math.floor(Math.random() * 300), 1 + Math.floor(Math.random() * 30_000)]],
  ] satisfies [string, () => [number, number]][])(
    "of %s may end within a bundle, and the next goes on there",
    async (_, sizes) => {
      await outbox.sql("TRUNCATE t; TRUNCATE rowcast.changes");
      await outbox.next();
      await outbox.sql(`INSERT INTO t VALUES (-1, 'before');
      INSERT INTO t SELECT i, repeat('x', i % 300) FROM generate_series(1, 1400) i;
      INSERT INTO t VALUES (-2, 'after')`);
      const changes = await page(sizes, 1402);
      expect(changes.map((change) => change.split(" ")[0])).toEqual(
        [-1, ...Array.from({ length: 1400 }, (__, i) => i + 1), -2].map(String),
      );
      await outbox.next();
    },
  );

  it("brings a change that is larger than it may be without its row", async () => {
    await outbox.sql("TRUNCATE t; TRUNCATE rowcast.changes");
    await outbox.next();
    await outbox.sql(
      `INSERT INTO t SELECT i, repeat('x', CASE i WHEN 120 THEN 1500 ELSE 10 END) FROM generate_series(1, 130) i`,
    );
    const changes = await page(() => [1000, 1000], 130);
    expect(changes.filter((change) => change.endsWith("true"))).toEqual(["120 true"]);
    await outbox.next();
  });
});

describe("in a statement of many rows", () => {
  beforeAll(() =>
    outbox.sql(`DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, body text);
      ALTER TABLE t ALTER body SET STORAGE EXTERNAL; SELECT rowcast.watch('t')`),
  );

  it("large rows are told apart, so that no bundle is large", async () => {
    await outbox.sql("TRUNCATE t; TRUNCATE rowcast.changes");
    await outbox.next();
    const large = `SELECT i, CASE WHEN i % 50 = 0 THEN repeat('x', 1000000) ELSE 'small' END FROM generate_series(1, 300) i`;
    for (const [statement, operation] of [
      [`INSERT INTO t ${large}`, "INSERT"],
      ["UPDATE t SET body = body || 'y'", "UPDATE"],
      ["DELETE FROM t", "DELETE"],
    ] as const) {
      await outbox.sql(statement);
      const changes = await outbox.next();
      expect(new Set(changes.map(({ key }) => key?.["id"])).size).toBe(300);
      expect(changes.every((change) => change.operation === operation)).toBe(true);
      expect(changes).toHaveLength(300);
    }
    expect(
      await outbox.sql(
        "SELECT max(length(bundle)) < 70000 AS fits, count(bundle)::int AS n FROM rowcast.changes",
      ),
    ).toEqual([{ fits: true, n: 3 }]);
  });

  it("what the writer's session has set stays as it was", async () => {
    await outbox.sql("TRUNCATE t; INSERT INTO t SELECT i, '' FROM generate_series(1, 200) i");
    for (const memory of ["4MB", "100MB"]) {
      const rows = await outbox
        .sql(`BEGIN; SET LOCAL work_mem = '${memory}'; UPDATE t SET body = body || 'x'`)
        .then(() => outbox.sql("SHOW work_mem"));
      await outbox.sql("COMMIT");
      expect(rows).toEqual([{ work_mem: memory }]);
    }
    expect(await bundles()).toBeGreaterThan(0);
  });

  it("a key that changes is a DELETE and an INSERT, and the others are told beside it", async () => {
    await outbox.sql("TRUNCATE t; INSERT INTO t SELECT i, '' FROM generate_series(1, 200) i");
    await outbox.next();
    await outbox.sql("UPDATE t SET body = 'new', id = CASE id WHEN 7 THEN 1007 ELSE id END");
    const changes = await outbox.next();
    expect(changes.filter(({ operation }) => operation === "UPDATE")).toHaveLength(199);
    expect(changes.slice(199)).toMatchObject([
      { operation: "DELETE", key: { id: 7 }, data: { id: 7, body: "" } },
      { operation: "INSERT", key: { id: 1007 }, data: { id: 1007, body: "new" } },
    ]);
    await outbox.sql("UPDATE t SET id = id + 5000");
    const moved = (await outbox.next()).map(({ operation }) => operation);
    expect(moved).toEqual([...Array<string>(200).fill("DELETE"), ...Array<string>(200).fill("INSERT")]);
  });

  it("of a partitioned table, rows that move to another partition are UPDATEs too", async () => {
    await outbox.sql(`CREATE TABLE parts (id int, part int, body text, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
      CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1); CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2);
      SELECT rowcast.watch('parts')`);
    const told = await outbox.told(`INSERT INTO parts SELECT i, 1 + i % 2, '' FROM generate_series(1, 300) i;
      UPDATE parts SET body = 'new'; UPDATE parts SET part = 1; DELETE FROM parts`);
    const count = (operation: string): number => told.filter((text) => text.startsWith(operation)).length;
    expect([count("INSERT"), count("UPDATE"), count("DELETE")]).toEqual([300 + 150, 300, 150 + 300]);
  });

  it("nothing is bundled where statements within statements are put in order", async () => {
    await outbox.sql(`CREATE TABLE m (id int PRIMARY KEY, n int);
      CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN UPDATE m SET n = 2 WHERE id = new.id AND n = 1; RETURN NULL; END $$;
      CREATE TRIGGER again AFTER INSERT ON m FOR EACH ROW EXECUTE FUNCTION again();
      SELECT rowcast.watch('m'); TRUNCATE rowcast.changes`);
    await outbox.next();
    await outbox.sql("INSERT INTO m SELECT i, 1 FROM generate_series(1, 200) i");
    const changes = await outbox.next();
    expect(await bundles()).toBe(0);
    expect(changes.slice(0, 200).every(({ operation }) => operation === "INSERT")).toBe(true);
    expect(changes.slice(200).every(({ operation }) => operation === "UPDATE")).toBe(true);
    expect(changes).toHaveLength(400);
  });
});

it("prune deletes whole bundles, not the one of the last change, and counts changes", async () => {
  await outbox.sql(`DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, body text); SELECT rowcast.watch('t');
    TRUNCATE rowcast.changes`);
  await outbox.next();
  await outbox.sql(`INSERT INTO t SELECT i, repeat('x', 200) FROM generate_series(1, 2000) i`);
  const last = (await outbox.next()).at(-1);
  const prune = async (maxRows: number): Promise<number | undefined> =>
    (
      await outbox.sql<{ n: number }>("SELECT rowcast.prune($1, $2, '0', $3) AS n", [
        outbox.cursor,
        last?.id,
        maxRows,
      ])
    )[0]?.n;
  expect(await prune(100)).toBe(100);
  expect(await prune(1)).toBeGreaterThan(1);
  const rest = (await prune(5000)) ?? 0;
  expect(rest).toBeGreaterThan(1000);
  expect(await prune(5000)).toBe(0);
  expect(
    await outbox.sql("SELECT rowcast.check_history(rowcast.source(), $1, $2, $3::xid8, $4) AS reason", [
      outbox.cursor,
      last?.id,
      last?.xid,
      last?.timestamp,
    ]),
  ).toEqual([{ reason: null }]);
  expect(await outbox.sql("SELECT id::text FROM rowcast.changes")).toEqual([{ id: last?.id }]);
});
