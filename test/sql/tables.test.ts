/** What can be watched, how its rows look in the outbox, and what happens when its definition changes. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failure, Outbox } from "./outbox.ts";

let outbox: Outbox;

beforeAll(async () => {
  outbox = await Outbox.open();
});
afterAll(() => outbox.database.drop());

describe("names and keys", () => {
  it("a composite key is told in full, and pairs the rows of an UPDATE", async () => {
    await outbox.sql(`CREATE TABLE seat (row_no int, "Place" text, guest text, PRIMARY KEY (row_no, "Place"));
      SELECT rowcast.watch('seat'); INSERT INTO seat VALUES (1, 'a', 'x'), (1, 'b', 'y'), (2, 'a', 'z')`);
    await outbox.next();
    await outbox.sql(`UPDATE seat SET guest = guest || '!' WHERE row_no = 1`);
    expect(await outbox.next()).toMatchObject([
      { operation: "UPDATE", key: { row_no: 1, Place: "a" }, data: { guest: "x!" }, old: { guest: "x" } },
      { operation: "UPDATE", key: { row_no: 1, Place: "b" }, data: { guest: "y!" }, old: { guest: "y" } },
    ]);
  });

  it("a table is named as SQL writes it with public in the search path", async () => {
    expect(
      await outbox.told(`CREATE SCHEMA sales;
        CREATE TABLE sales."Line Items" ("Id ""x""" int PRIMARY KEY, r text, data text, key text, old text);
        SELECT rowcast.watch('sales."Line Items"'); SELECT rowcast.watch('sales."Line Items"');
        INSERT INTO sales."Line Items" VALUES (1); UPDATE sales."Line Items" SET r = 'r', data = 'd';
        DELETE FROM sales."Line Items"; TRUNCATE sales."Line Items"`),
    ).toEqual([
      `INSERT sales."Line Items" {"Id \\"x\\"":1}`,
      `UPDATE sales."Line Items" {"Id \\"x\\"":1}`,
      `DELETE sales."Line Items" {"Id \\"x\\"":1}`,
      `TRUNCATE sales."Line Items"`,
    ]);
  });

  it("names in other alphabets arrive as they are, and watching twice changes nothing", async () => {
    expect(
      await outbox.told(`CREATE TABLE "Größe" ("ключ" int PRIMARY KEY, "a,b}" text);
        SELECT rowcast.watch('"Größe"'); SELECT rowcast.watch('"Größe"', '{"a,b}"}');
        INSERT INTO "Größe" VALUES (1, 'x')`),
    ).toEqual([`INSERT "Größe" {"ключ":1}`]);
  });

  it("an unwatched table is silent, and can be watched again", async () => {
    expect(
      await outbox.told(`CREATE TABLE brief (id int PRIMARY KEY); SELECT rowcast.watch('brief');
        INSERT INTO brief VALUES (1); SELECT rowcast.unwatch('brief'); SELECT rowcast.unwatch('brief');
        INSERT INTO brief VALUES (2); SELECT rowcast.watch('brief'); INSERT INTO brief VALUES (3)`),
    ).toEqual([`INSERT brief {"id":1}`, `INSERT brief {"id":3}`]);
  });
});

describe("columns", () => {
  it("with columns named, only these and the key are told, and changes elsewhere are not", async () => {
    await outbox.sql(`CREATE TABLE person (id int PRIMARY KEY, name text, secret text);
      SELECT rowcast.watch('person', '{name}'); INSERT INTO person VALUES (1, 'a', 's')`);
    expect(await outbox.next()).toMatchObject([{ data: { id: 1, name: "a" } }]);
    await outbox.sql(`UPDATE person SET secret = 'other'`);
    expect(await outbox.next()).toEqual([]);
    await outbox.sql(`UPDATE person SET secret = 'third', name = 'b'`);
    const [change] = await outbox.next();
    expect([change?.data, change?.old]).toEqual([{ id: 1, name: "b" }, { name: "a" }]);
    await outbox.sql(`DELETE FROM person`);
    expect((await outbox.next())[0]?.data).toEqual({ id: 1, name: "b" });
    await outbox.sql(`SELECT rowcast.watch('person'); INSERT INTO person VALUES (2, 'c', 's')`);
    expect((await outbox.next())[0]?.data).toEqual({ id: 2, name: "c", secret: "s" });
  });

  it("generated columns are told, the stored and the virtual ones", async () => {
    await outbox.sql(`CREATE TABLE box (id int PRIMARY KEY, gone int, w int, h int,
        area int GENERATED ALWAYS AS (w * h) STORED, rim int GENERATED ALWAYS AS (2 * (w + h)) VIRTUAL);
      ALTER TABLE box DROP COLUMN gone; SELECT rowcast.watch('box');
      INSERT INTO box (id, w, h) VALUES (1, 2, 3), (2, 1, 1)`);
    expect((await outbox.next()).map(({ data }) => data)).toEqual([
      { id: 1, w: 2, h: 3, area: 6, rim: 10 },
      { id: 2, w: 1, h: 1, area: 1, rim: 4 },
    ]);
    await outbox.sql(
      `UPDATE box SET w = 5 WHERE id = 1; UPDATE box SET id = 3 WHERE id = 2; DELETE FROM box WHERE id = 1`,
    );
    expect(await outbox.next()).toMatchObject([
      { operation: "UPDATE", data: { area: 15, rim: 16 }, old: { w: 2, area: 6, rim: 10 } },
      { operation: "DELETE", key: { id: 2 }, data: { rim: 4 } },
      { operation: "INSERT", key: { id: 3 }, data: { rim: 4 } },
      { operation: "DELETE", data: { id: 1, rim: 16 } },
    ]);
    const shown = await outbox.sql(`SELECT rowcast.row_json(b.*) AS row FROM box b`);
    expect(shown).toEqual([{ row: { id: 3, w: 1, h: 1, area: 1, rim: 4 } }]);
  });

  it("a row looks the same whatever the session of its writer, and as row_json shows it", async () => {
    await outbox.sql(`CREATE TABLE form (id int PRIMARY KEY, t timestamptz, f float8, i interval, b bytea,
        r tstzrange, m money, e regclass); SELECT rowcast.watch('form')`);
    const value = `'2026-03-01 12:00:00.123456+00', 0.1::float8 + 0.2, '1 day 2 hours', '\\x00ff',
      '[2026-03-01 12:00+00,2026-03-02 12:00+00)', '12.34', 'form'`;
    const writer = await outbox.connect();
    await writer.query(`SET lc_monetary = 'C'; INSERT INTO form VALUES (1, ${value})`);
    await writer.query(`SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German'; SET IntervalStyle = 'iso_8601';
      SET extra_float_digits = -5; SET bytea_output = 'escape'; SET search_path = public`);
    await writer.query(`INSERT INTO form SELECT 2, t, f, i, b, r, m, e FROM form`);
    const [first, second] = await outbox.next();
    expect(second?.data).toEqual({ ...first?.data, id: 2 });
    expect(first?.data).toMatchObject({
      t: "2026-03-01T12:00:00.123456+00:00",
      f: 0.30000000000000004,
      i: "1 day 02:00:00",
      b: "\\x00ff",
    });
    const { rows } = await writer.query(`SELECT rowcast.row_json(f.*) AS row FROM form f ORDER BY id`);
    expect(rows).toEqual([{ row: first?.data }, { row: second?.data }]);
    await writer.end();
  });
});

describe("what cannot be watched", () => {
  it.each([
    [
      "a table without a primary key",
      `CREATE TABLE bare (x int)`,
      "bare",
      "55000",
      /no primary key/,
      /ADD PRIMARY KEY/,
    ],
    [
      "a view",
      `CREATE VIEW seen AS SELECT 1 AS x`,
      "seen",
      "42809",
      /a view/,
      /tables that its rows come from/,
    ],
    ["a temporary table", `CREATE TEMP TABLE mine (id int PRIMARY KEY)`, "mine", "42809", /temporary/, /^$/],
    ["Rowcast's own table", ``, "rowcast.changes", "42809", /belongs to Rowcast/, /^$/],
    [
      "a table that the role rowcast has made in the schema of its name",
      `CREATE TABLE rowcast.mine (id int PRIMARY KEY)`,
      "rowcast.mine",
      "42809",
      /schema of Rowcast itself/,
      /ALTER TABLE rowcast\.mine SET SCHEMA public; .*ALTER ROLE rowcast IN DATABASE \w+ SET search_path = public;/,
    ],
  ])("%s is refused with the reason", async (_, create, name, code, message, hint) => {
    const error = await failure(outbox.sql(`${create}; SELECT rowcast.watch('${name}')`));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  });

  it("a column that is not there is named", async () => {
    const error = await failure(outbox.sql(`SELECT rowcast.watch('orders', '{status,colour,"Size"}')`));
    expect(error).toMatchObject({ code: "42703", message: `orders has no column colour, "Size"` });
  });
});

describe("definitions that change", () => {
  it("renamed tables and columns, and new keys, are followed", async () => {
    expect(
      await outbox.told(`CREATE TABLE first (id int PRIMARY KEY, other int); SELECT rowcast.watch('first');
        ALTER TABLE first RENAME TO second; INSERT INTO second VALUES (1, 1);
        ALTER TABLE second RENAME id TO "Id"; INSERT INTO second VALUES (2, 2);
        ALTER TABLE second DROP CONSTRAINT first_pkey; INSERT INTO second VALUES (2, 2);
        DELETE FROM second; ALTER TABLE second ADD PRIMARY KEY (other); INSERT INTO second VALUES (3, 3)`),
    ).toEqual([
      `INSERT second {"id":1}`,
      `INSERT second {"Id":2}`,
      `INSERT second {"Id":2}`,
      `DELETE second {"Id":1}`,
      `DELETE second {"Id":2}`,
      `DELETE second {"Id":2}`,
      `INSERT second {"other":3}`,
    ]);
  });

  it("without the event trigger a renamed key is found in the catalog when a writer comes", async () => {
    await outbox.sql(`ALTER EVENT TRIGGER rowcast_follow_ddl DISABLE`);
    expect(
      await outbox.told(`CREATE TABLE stale (id int PRIMARY KEY, n int); SELECT rowcast.watch('stale', '{n}');
        ALTER TABLE stale RENAME id TO nr; INSERT INTO stale VALUES (1, 1), (2, 2); UPDATE stale SET n = 5 WHERE nr = 1;
        DELETE FROM stale WHERE nr = 2; ALTER TABLE stale DROP CONSTRAINT stale_pkey; INSERT INTO stale VALUES (3, 3)`),
    ).toEqual([
      `INSERT stale {"nr":1}`,
      `INSERT stale {"nr":2}`,
      `UPDATE stale {"nr":1}`,
      `DELETE stale {"nr":2}`,
      `INSERT stale {"n":3,"nr":3}`,
    ]);
    await outbox.sql(`ALTER EVENT TRIGGER rowcast_follow_ddl ENABLE`);
  });

  it("DDL never fails because of Rowcast", async () => {
    await outbox.sql(`CREATE TABLE hard (id int PRIMARY KEY); SELECT rowcast.watch('hard');
      ALTER FUNCTION rowcast.sync(regclass) RENAME TO sync_gone`);
    const told = outbox.told(`ALTER TABLE hard RENAME TO harder; INSERT INTO harder VALUES (1)`);
    expect(await told).toEqual([`INSERT hard {"id":1}`]);
    await outbox.sql(
      `ALTER FUNCTION rowcast.sync_gone(regclass) RENAME TO sync; SELECT rowcast.watch('harder')`,
    );
    expect(await outbox.told(`INSERT INTO harder VALUES (2)`)).toEqual([`INSERT harder {"id":2}`]);
  });
});
