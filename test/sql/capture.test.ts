/** The functions that are written for each watched table: they tell what anything else would, and never fail a writer. */
import type { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { brief, Outbox } from "./outbox.ts";

let outbox: Outbox;

beforeAll(async () => {
  outbox = await Outbox.open();
});
afterAll(() => outbox.database.drop());

const sessions: Client[] = [];

/** Another session, which ends with the test: one that failed must not keep its locks. */
async function session(): Promise<Client> {
  const client = await outbox.connect();
  sessions.push(client);
  return client;
}

afterEach(async () => {
  await Promise.all(sessions.splice(0).map((client) => client.end()));
});

async function functions(): Promise<unknown> {
  const rows = await outbox.sql<{ n: string }>(
    `SELECT count(*) AS n FROM pg_proc WHERE pronamespace = 'rowcast'::regnamespace
       AND proname ~ '^capture_(insert|update|delete)_'`,
  );
  return Number(rows[0]?.n);
}

describe("a table that is altered where no event trigger follows", () => {
  const prepare = `DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, n int, s text);
    SELECT rowcast.watch('t'); INSERT INTO t VALUES (1, 1, '1'), (2, 2, '2'), (3, 3, '3'); UPDATE t SET n = 0 WHERE id = 1;
    UPDATE t SET n = n + 1`;

  beforeAll(() => outbox.sql(`ALTER EVENT TRIGGER rowcast_follow_ddl DISABLE`));
  afterAll(() => outbox.sql(`DROP TABLE t; ALTER EVENT TRIGGER rowcast_follow_ddl ENABLE`));

  it.each([
    ["ADD COLUMN", `ADD COLUMN x int DEFAULT 7`, `x = id`, { x: 1 }, { x: 7 }],
    ["a column twice added", `ADD COLUMN y int, ADD COLUMN x int DEFAULT 7`, `x = id`, { x: 1 }, { x: 7 }],
    [
      "ALTER TYPE to one without equality",
      `ALTER COLUMN s TYPE json USING to_json(s)`,
      `s = '[1]'`,
      { s: [1] },
      { s: "1" },
    ],
    ["ALTER TYPE of the key", `ALTER COLUMN id TYPE text`, `n = 9`, { id: "1", n: 9 }, { n: 1 }],
    ["RENAME", `RENAME COLUMN n TO m`, `m = 9`, { m: 9 }, { m: 1 }],
    ["DROP COLUMN", `DROP COLUMN s`, `n = 9`, { n: 9 }, { n: 1 }],
  ])("%s: writers go on, and everything is told", async (_, alter, set, data, old) => {
    const writer = await session(); // with plans from before
    await writer.query(prepare);
    await outbox.sql(`ALTER TABLE t ${alter}`);
    await outbox.next();
    await writer.query(`UPDATE t SET ${set} WHERE id::text = '1'`);
    expect(await outbox.next()).toMatchObject([{ operation: "UPDATE", data, old }]);
    await writer.query(
      `UPDATE t SET ${set}; DELETE FROM t WHERE id::text = '2'; INSERT INTO t (id) VALUES (4)`,
    );
    expect((await outbox.next()).map((change) => change.operation).toSorted()).toEqual([
      "DELETE",
      "INSERT",
      "UPDATE",
      "UPDATE",
    ]);
  });
});

describe("the question whether a table is still the one that its functions were written for", () => {
  beforeAll(() => outbox.sql(`ALTER EVENT TRIGGER rowcast_follow_ddl DISABLE`));
  afterAll(() =>
    outbox.sql(`DROP TABLE IF EXISTS u, u_former; ALTER EVENT TRIGGER rowcast_follow_ddl ENABLE`),
  );
  beforeEach(() =>
    outbox.sql(`DROP TABLE IF EXISTS u, u_former; CREATE TABLE u (id int PRIMARY KEY, n int, s text);
      SELECT rowcast.watch('u'); INSERT INTO u VALUES (1, 1, '1'), (2, 2, '2')`),
  );

  /** A session whose plans are from before what follows, and that nothing is told of any more. */
  async function experienced(): Promise<Client> {
    const writer = await session();
    await writer.query(`UPDATE u SET n = n + 1 WHERE id = 1; UPDATE u SET n = n - 1 WHERE id = 1;
      INSERT INTO u VALUES (9); DELETE FROM u WHERE id = 9`);
    await outbox.next();
    return writer;
  }

  async function data(): Promise<unknown[]> {
    return (await outbox.next()).map((change) => change.data);
  }

  it("is answered anew within a transaction, and after a savepoint took the change back", async () => {
    const writer = await experienced();
    await writer.query(
      `BEGIN; UPDATE u SET n = 10 WHERE id = 1; SAVEPOINT s; ALTER TABLE u ADD COLUMN x int DEFAULT 7`,
    );
    await writer.query(`UPDATE u SET n = 11 WHERE id = 1; ROLLBACK TO s`);
    await writer.query(`UPDATE u SET n = 12 WHERE id = 1; SAVEPOINT t; ALTER TABLE u RENAME COLUMN n TO m`);
    await writer.query(`UPDATE u SET m = 13 WHERE id = 1; RELEASE t; ALTER TABLE u DROP COLUMN m`);
    await writer.query(`UPDATE u SET s = 'x' WHERE id = 1; COMMIT; UPDATE u SET s = 'y' WHERE id = 1`);
    expect(await data()).toEqual([
      { id: 1, n: 10, s: "1" },
      { id: 1, n: 12, s: "1" },
      { id: 1, m: 13, s: "1" },
      { id: 1, s: "x" },
      { id: 1, s: "y" },
    ]);
  });

  it.each(["auto", "force_custom_plan", "force_generic_plan"])(
    "is answered anew with plan_cache_mode = %s",
    async (mode) => {
      const writer = await session();
      await writer.query(`SET plan_cache_mode = ${mode}`);
      for (let i = 0; i < 8; i++) await writer.query(`UPDATE u SET n = n + 1 WHERE id = 1`);
      await outbox.next();
      await outbox.sql(
        `ALTER TABLE u RENAME COLUMN n TO m; ALTER TABLE u ALTER COLUMN s TYPE json USING to_json(s)`,
      );
      await writer.query(`UPDATE u SET s = '[1]', m = 0 WHERE id = 1`);
      expect(await outbox.next()).toMatchObject([{ data: { id: 1, m: 0, s: [1] }, old: { m: 9, s: "1" } }]);
    },
  );

  it("sees the table as the statement does, also where the snapshot is an older one", async () => {
    const writer = await experienced();
    await writer.query(`BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1`);
    await outbox.sql(`ALTER TABLE u RENAME COLUMN n TO m; ALTER TABLE u ADD COLUMN x int`);
    await writer.query(
      `UPDATE u SET m = 5 WHERE id = 1; UPDATE u SET x = 6; INSERT INTO u (id, m) VALUES (3, 3)`,
    );
    await writer.query(`DELETE FROM u WHERE id = 3; COMMIT`);
    expect(await data()).toEqual([
      { id: 1, m: 5, s: "1", x: null },
      { id: 1, m: 5, s: "1", x: 6 },
      { id: 2, m: 2, s: "2", x: 6 },
      { id: 3, m: 3, s: null, x: null },
      { id: 3, m: 3, s: null, x: null },
    ]);
  });

  it("tells a column from a virtual one that took its place", async () => {
    const writer = await experienced();
    await outbox.sql(
      `ALTER TABLE u DROP COLUMN s; ALTER TABLE u ADD COLUMN s text GENERATED ALWAYS AS ('n' || 1) VIRTUAL`,
    );
    await writer.query(`UPDATE u SET n = 5 WHERE id = 1; DELETE FROM u WHERE id = 2`);
    expect(await data()).toEqual([
      { id: 1, n: 5, s: "n1" },
      { id: 2, n: 2, s: "n1" },
    ]);
  });

  it("is about one table, not about one of its name", async () => {
    const writer = await experienced();
    await outbox.sql(`ALTER TABLE u RENAME TO u_former; ALTER TABLE u_former DROP COLUMN s;
      CREATE TABLE u (id int PRIMARY KEY, n int, other text); SELECT rowcast.watch('u')`);
    await writer.query(
      `UPDATE u_former SET n = 5 WHERE id = 1; INSERT INTO u VALUES (1, 1, 'o'); UPDATE u SET n = 2`,
    );
    expect(await outbox.next()).toMatchObject([
      { operation: "UPDATE", data: { id: 1, n: 5 } },
      { operation: "INSERT", data: { id: 1, n: 1, other: "o" } },
      { operation: "UPDATE", data: { id: 1, n: 2, other: "o" } },
    ]);
    await outbox.sql(`DROP TABLE u; CREATE TABLE u (n text PRIMARY KEY); SELECT rowcast.watch('u')`);
    await writer.query(`INSERT INTO u VALUES ('k'); UPDATE u SET n = 'l'`);
    expect((await outbox.next()).map(brief)).toEqual([
      `INSERT u {"n":"k"}`,
      `DELETE u {"n":"k"}`,
      `INSERT u {"n":"l"}`,
    ]);
  });

  it("is answered with no where a dump was loaded, until the table is watched again", async () => {
    // What a dump does to these functions: their text is the same, and the table has another oid.
    const here = `regexp_replace(prosrc, 'TG_RELID = \\d+(.*?)''\\d+''', 'TG_RELID = ' || $1 || '\\1''' || $1 || '''')`;
    const pieces = `SELECT proname, ${here} AS body FROM pg_proc WHERE pronamespace = 'rowcast'::regnamespace
      AND prosrc LIKE '%TG_RELID = ' || 'u'::regclass::oid || '%'`;
    const missing = 4_000_000_000;
    for (const { proname, body } of await outbox.sql<{ proname: string; body: string }>(pieces, [missing])) {
      expect(body).toContain(`TG_RELID = ${missing} AND rowcast.is_as_written('${missing}'`);
      await outbox.sql(`CREATE OR REPLACE FUNCTION rowcast.${proname}() RETURNS trigger LANGUAGE plpgsql
        SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $x$${body}$x$`);
    }
    await outbox.sql(
      `INSERT INTO u VALUES (3, 3); UPDATE u SET n = 4 WHERE id = 3; DELETE FROM u WHERE id = 3`,
    );
    expect((await outbox.next()).slice(-3).map(brief)).toEqual([
      `INSERT u {"id":3}`,
      `UPDATE u {"id":3}`,
      `DELETE u {"id":3}`,
    ]);
    expect(await outbox.sql(pieces, [missing])).toEqual([]);
    await outbox.sql(`SELECT rowcast.sync_all()`);
    expect(await outbox.sql(pieces, [missing])).toHaveLength(3);
  });

  it("is answered with yes as long as nothing was altered, whatever the columns are", async () => {
    await outbox.sql(`CREATE DOMAIN filled AS int NOT NULL; CREATE SCHEMA "Odd %s"; CREATE TYPE pair AS (a int, b filled);
      CREATE TABLE "Odd %s"."a""b" (gone int, id filled PRIMARY KEY, "x ""y'" text COLLATE "C", "%I" int[], "a"":null" pair, d date);
      ALTER TABLE "Odd %s"."a""b" DROP COLUMN gone; SELECT rowcast.watch('"Odd %s"."a""b"');
      ALTER FUNCTION rowcast.capture_sql(oid, text) RENAME TO capture_sql_gone`);
    const told =
      await outbox.told(`INSERT INTO "Odd %s"."a""b" (id) VALUES (1), (2); UPDATE "Odd %s"."a""b" SET d = '2026-01-01';
      UPDATE "Odd %s"."a""b" SET id = 3 WHERE id = 2; DELETE FROM "Odd %s"."a""b"`);
    await outbox.sql(`ALTER FUNCTION rowcast.capture_sql_gone(oid, text) RENAME TO capture_sql`);
    expect(told).toHaveLength(8);
  });
});

describe("values are written the same whatever the writer's settings are", () => {
  afterAll(() => outbox.sql(`ALTER EVENT TRIGGER rowcast_follow_ddl ENABLE`));

  const settings = `SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German'; SET IntervalStyle = 'iso_8601';
    SET extra_float_digits = -5; SET bytea_output = 'escape'; SET lc_monetary = 'C'`;

  // One table for each type: a function pins nothing but what its own columns need.
  it.each([
    ["timestamptz", `'2026-03-01 12:00+00'`],
    ["timestamp", `'2026-03-01 12:00'`],
    ["date", `'2026-03-01'`],
    ["time", `'12:00:01.5'`],
    ["timetz", `'12:00+05:30'`],
    ["interval", `'1 day 2 hours'`],
    ["float8", `0.1::float8 + 0.2`],
    ["float4", `1::float4 / 3`],
    ["bytea", `'\\x00ff'`],
    ["money", `'12.34'`],
    ["timestamptz[]", `'{2026-03-01 12:00+00}'`],
    ["tstzrange", `'[2026-03-01 12:00+00,)'`],
    ["elapsed", `'1 day 2 hours'`],
    ["moment", `ROW('2026-03-01 12:00+00', 0.1::float8 + 0.2)::moment`],
  ])("%s", async (type, value) => {
    await outbox.sql(`DROP TABLE IF EXISTS v; DROP DOMAIN IF EXISTS elapsed; DROP TYPE IF EXISTS moment;
      CREATE DOMAIN elapsed AS interval; CREATE TYPE moment AS (at timestamptz, f float8);
      CREATE TABLE v (id int PRIMARY KEY, v ${type}); SELECT rowcast.watch('v')`);
    const writer = await session();
    await writer.query(settings);
    await outbox.next();
    await outbox.sql(`INSERT INTO v VALUES (1, ${value})`);
    await writer.query(`INSERT INTO v SELECT 2, v FROM v; UPDATE v SET v = NULL WHERE id = 2;
      UPDATE v SET v = (SELECT v FROM v WHERE id = 1) WHERE id = 2; DELETE FROM v WHERE id = 2`);
    const told = (await outbox.next()).map((change) => [change.data?.["v"], change.old?.["v"]]);
    const [shown] = await outbox.sql(`SELECT rowcast.row_json(v.*) -> 'v' AS v FROM v`);
    const { v } = shown as { v: unknown };
    expect(told).toEqual([
      [v, undefined],
      [v, undefined],
      [null, v],
      [v, null],
      [v, undefined],
    ]);
  });

  it("also of a table that was altered since, and the settings stay the writer's", async () => {
    await outbox.sql(`ALTER EVENT TRIGGER rowcast_follow_ddl DISABLE; DROP TABLE IF EXISTS v;
      CREATE TABLE v (id int PRIMARY KEY); SELECT rowcast.watch('v');
      ALTER TABLE v ADD COLUMN t timestamptz DEFAULT '2026-03-01 12:00+00', ADD COLUMN i interval DEFAULT '1 day 2 hours'`);
    const writer = await session();
    await writer.query(settings);
    await writer.query(`SET TIME ZONE INTERVAL '-08:30' HOUR TO MINUTE`);
    const show = async (): Promise<unknown> =>
      (
        await writer.query(`SELECT name, setting FROM pg_settings
          WHERE name ~* '^(timezone|datestyle|intervalstyle|extra_float_digits|bytea_output|lc_monetary)$'`)
      ).rows;
    const before = await show();
    await outbox.next();
    await writer.query(`BEGIN; SET LOCAL bytea_output = 'hex'; INSERT INTO v VALUES (1)`);
    expect(await show()).not.toEqual(before);
    await writer.query(`SET LOCAL bytea_output = 'escape'`);
    expect(await show()).toEqual(before);
    await writer.query(`COMMIT`);
    expect(await show()).toEqual(before);
    expect(await outbox.next()).toMatchObject([
      { data: { t: "2026-03-01T12:00:00+00:00", i: "1 day 02:00:00" } },
    ]);
  });
});

it("the doorbell rings for each operation, not while it is silenced, and no writer keeps its lock", async () => {
  await outbox.sql(
    `CREATE TABLE rung (id int PRIMARY KEY); SELECT rowcast.watch('rung'); LISTEN rowcast_changes`,
  );
  let rings = 0;
  outbox.database.client.on("notification", () => rings++);
  const writer = await session();
  const write = async (): Promise<number> => {
    rings = 0;
    for (const sql of [`INSERT INTO rung VALUES (1)`, `UPDATE rung SET id = 2`, `DELETE FROM rung`])
      await writer.query(sql);
    await outbox.sql(`SELECT 1`); // what was sent to us comes before its answer
    return rings;
  };
  expect(await write()).toBe(3);
  const listener = await session();
  const lock = `SELECT pg_try_advisory_lock(rowcast.doorbell_lock()) AS locked`;
  expect((await listener.query(lock)).rows).toEqual([{ locked: true }]);
  expect(await write()).toBe(0);
  await outbox.sql(`UNLISTEN rowcast_changes`);
});

it("an altered table gets functions anew, and what nobody runs any more is dropped", async () => {
  await outbox.sql(`SELECT rowcast.drop_orphans()`); // those of tables that were dropped
  const before = await functions();
  await outbox.sql(`CREATE TABLE altered (id int PRIMARY KEY); SELECT rowcast.watch('altered')`);
  expect(await functions()).toBe(Number(before) + 3);
  await outbox.sql(`ALTER TABLE altered ADD COLUMN n int; ALTER TABLE altered RENAME TO renamed`);
  expect(await functions()).toBe(Number(before) + 3);
  expect(await outbox.told(`INSERT INTO renamed VALUES (1, 1); UPDATE renamed SET n = 2`)).toEqual([
    `INSERT renamed {"id":1}`,
    `UPDATE renamed {"id":1}`,
  ]);
  await outbox.sql(`SELECT rowcast.unwatch('renamed')`);
  expect(await functions()).toBe(before);
});

it("values are compared as their JSON is, whatever their type thinks of it", async () => {
  await outbox.sql(`CREATE COLLATION relaxed (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE DOMAIN positive AS int CHECK (VALUE > 0);
    CREATE TABLE odd (id char(4) PRIMARY KEY, t text COLLATE relaxed, b char(3), n numeric, f float8, p positive, a int[],
      j json, x xml, ip inet);
    SELECT rowcast.watch('odd');
    INSERT INTO odd VALUES ('k', 'a', 'b', 1.0, 0, 1, '{1}', '{"a":1}', '<a/>', '10.0.0.1'), ('l', 'a', 'b', 1.0, 0, NULL, NULL, '{"a":1}', NULL, NULL), ('m', 'a', 'b', 1, 0, NULL, NULL, '{"a":1}', NULL, NULL)`);
  await outbox.next();
  await outbox.sql(`UPDATE odd SET n = 1.00, f = '-0', j = '{ "a": 1 }' WHERE id = 'k'`);
  await outbox.sql(
    `UPDATE odd SET n = 1.00, f = '-0', j = '{ "a": 1 }'; UPDATE odd SET j = NULL WHERE id = 'm'`,
  );
  expect((await outbox.next()).map(({ old }) => old)).toEqual([{ j: { a: 1 } }]);
  await outbox.sql(`UPDATE odd SET j = 'null' WHERE id = 'm'; DELETE FROM odd WHERE id = 'm'`);
  expect((await outbox.next()).map(brief)).toEqual([`DELETE odd {"id":"m   "}`]);
  await outbox.sql(`UPDATE odd SET t = 'A' WHERE id = 'k'`);
  expect((await outbox.next()).map(({ old }) => old)).toEqual([{ t: "a" }]);
  await outbox.sql(
    `UPDATE odd SET f = 'NaN', p = 2, a = '{1,2}', x = '<b/>', ip = '10.0.0.2' WHERE id = 'k'`,
  );
  expect((await outbox.next()).map(({ old }) => old)).toEqual([
    { f: 0, p: 1, a: [1], x: "<a/>", ip: "10.0.0.1" },
  ]);
  await outbox.sql(`UPDATE odd SET f = 'NaN'`);
  expect((await outbox.next()).map(brief)).toEqual([`UPDATE odd {"id":"l   "}`]);
});

it("columns with the names of what the functions use are only columns", async () => {
  const names = [
    "own",
    "fits",
    "now_",
    "o",
    "n",
    "c",
    "dummy",
    "keys",
    "tg_relid",
    "new_rows",
    "captured",
    "a r.b",
    "it's",
  ];
  await outbox.sql(`CREATE TABLE names (id int PRIMARY KEY, ${names.map((name) => `"${name}" int`).join(", ")});
    SELECT rowcast.watch('names'); INSERT INTO names VALUES (1), (2)`);
  await outbox.next();
  for (const where of ["WHERE id = 1", ""]) {
    await outbox.sql(
      `UPDATE names SET ${names.map((name) => `"${name}" = coalesce("${name}", 0) + id`).join(", ")} ${where}`,
    );
    const [change] = await outbox.next();
    expect(Object.keys(change?.old ?? {}).toSorted()).toEqual(names.toSorted());
  }
  expect(
    await outbox.told(`UPDATE names SET id = id + 10 WHERE id = 1; DELETE FROM names WHERE id = 11`),
  ).toEqual([`DELETE names {"id":1}`, `INSERT names {"id":11}`, `DELETE names {"id":11}`]);
});

it("a table of more columns than are written out is told as well, and one of nothing but its key", async () => {
  const columns = Array.from({ length: 150 }, (_, i) => `c${i} int DEFAULT ${i}`).join(", ");
  await outbox.sql(`CREATE TABLE wide (id int PRIMARY KEY, ${columns}); CREATE TABLE narrow (a int, b text, PRIMARY KEY (b, a));
    SELECT rowcast.watch('wide'), rowcast.watch('narrow')`);
  expect(
    await outbox.told(`INSERT INTO wide VALUES (1); UPDATE wide SET c149 = 0; UPDATE wide SET c1 = c1; DELETE FROM wide;
      INSERT INTO narrow VALUES (1, 'x'); UPDATE narrow SET a = a; UPDATE narrow SET a = 2; DELETE FROM narrow`),
  ).toEqual([
    `INSERT wide {"id":1}`,
    `UPDATE wide {"id":1}`,
    `DELETE wide {"id":1}`,
    `INSERT narrow {"a":1,"b":"x"}`,
    `DELETE narrow {"a":1,"b":"x"}`,
    `INSERT narrow {"a":2,"b":"x"}`,
    `DELETE narrow {"a":2,"b":"x"}`,
  ]);
});
