/** The functions that are written for each watched table: they tell what anything else would, and never fail a writer. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { brief, Outbox } from "./outbox.ts";

let outbox: Outbox;

beforeAll(async () => {
  outbox = await Outbox.open();
});
afterAll(() => outbox.database.drop());

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
    const writer = await outbox.connect(); // with plans from before
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
    await writer.end();
  });
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
