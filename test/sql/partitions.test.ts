/** A partitioned table is one table to clients, whichever way its rows are written. */
import { afterAll, beforeEach, expect, it } from "vitest";
import { brief, Outbox } from "./outbox.ts";

let outbox: Outbox | undefined;

async function open(): Promise<Outbox> {
  outbox ??= await Outbox.open();
  return outbox;
}

beforeEach(async () => {
  await (
    await open()
  ).sql(`
    DROP TABLE IF EXISTS log, log_extra;
    CREATE TABLE log (day int, id int, note text, PRIMARY KEY (day, id)) PARTITION BY RANGE (day);
    CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (1) TO (2);
    -- Columns in another order, with one that has gone: its attribute numbers are not the root's.
    CREATE TABLE log_2 (gone int, note text, id int NOT NULL, day int NOT NULL);
    ALTER TABLE log_2 DROP COLUMN gone;
    ALTER TABLE log ATTACH PARTITION log_2 FOR VALUES FROM (2) TO (3);
    CREATE TABLE log_3 PARTITION OF log FOR VALUES FROM (3) TO (4) PARTITION BY LIST (id);
    CREATE TABLE log_3_a PARTITION OF log_3 DEFAULT;
    SELECT rowcast.watch('log');`);
});
afterAll(() => outbox?.database.drop());

it("writing through the root is told once", async () => {
  const { told } = bound(await open());
  expect(await told(`INSERT INTO log VALUES (1, 1), (2, 1), (3, 1)`)).toEqual([
    `INSERT log {"id":1,"day":1}`,
    `INSERT log {"id":1,"day":2}`,
    `INSERT log {"id":1,"day":3}`,
  ]);
  expect((await told(`UPDATE log SET note = 'x'`)).toSorted()).toEqual([
    `UPDATE log {"id":1,"day":1}`,
    `UPDATE log {"id":1,"day":2}`,
    `UPDATE log {"id":1,"day":3}`,
  ]);
  expect(await told(`DELETE FROM log WHERE day = 2`)).toEqual([`DELETE log {"id":1,"day":2}`]);
});

it("writing straight into a partition is told once, under the name of the root", async () => {
  const outbox_ = await open();
  const { told } = bound(outbox_);
  await outbox_.next();
  await outbox_.sql(`INSERT INTO log_2 (day, id, note) VALUES (2, 7, 'n'); UPDATE log_2 SET note = 'm'`);
  expect(await outbox_.next()).toMatchObject([
    { table: "log", operation: "INSERT", key: { day: 2, id: 7 }, data: { day: 2, id: 7, note: "n" } },
    { table: "log", operation: "UPDATE", key: { day: 2, id: 7 }, data: { note: "m" }, old: { note: "n" } },
  ]);
  expect(
    await told(`INSERT INTO log_3 VALUES (3, 1); INSERT INTO log_3_a VALUES (3, 2); DELETE FROM log_3`),
  ).toEqual([
    `INSERT log {"id":1,"day":3}`,
    `INSERT log {"id":2,"day":3}`,
    `DELETE log {"id":1,"day":3}`,
    `DELETE log {"id":2,"day":3}`,
  ]);
});

it("a row that moves between partitions is deleted under its old key and inserted under its new one", async () => {
  const { told } = bound(await open());
  expect(await told(`INSERT INTO log VALUES (1, 1, 'x'); UPDATE log SET day = 2 WHERE day = 1`)).toEqual([
    `INSERT log {"id":1,"day":1}`,
    `DELETE log {"id":1,"day":1}`,
    `INSERT log {"id":1,"day":2}`,
  ]);
});

it("a row that leaves its partition and is let into no other is deleted, also beside one that is updated", async () => {
  const outbox_ = await open();
  const { told } = bound(outbox_);
  await outbox_.sql(`CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON log_2 FOR EACH ROW EXECUTE FUNCTION refuse();
    INSERT INTO log VALUES (1, 1), (1, 2), (1, 3)`);
  expect(
    await told(`UPDATE log SET note = 'x', day = CASE id WHEN 1 THEN 1 ELSE 2 END WHERE id < 3`),
  ).toEqual([`UPDATE log {"id":1,"day":1}`, `DELETE log {"id":2,"day":1}`]);
  expect(await told(`UPDATE log SET day = 2 WHERE id = 3`)).toEqual([`DELETE log {"id":3,"day":1}`]);
});

it("MERGE is told as what it did to each row", async () => {
  const outbox_ = await open();
  await outbox_.sql(`INSERT INTO log VALUES (1, 1, 'a'), (2, 1, 'b')`);
  await outbox_.next();
  // The row that is inserted comes first in the join, and the one that is updated next.
  await outbox_.sql(`MERGE INTO log USING (VALUES (3, 1), (1, 1), (3, 2), (2, 1)) s (day, id)
      ON log.day = s.day AND log.id = s.id
    WHEN MATCHED THEN UPDATE SET note = note || '!' WHEN NOT MATCHED THEN INSERT VALUES (s.day, s.id, 'new')`);
  const changes = await outbox_.next();
  expect(changes.toSorted((x, y) => (brief(x) < brief(y) ? -1 : 1))).toMatchObject([
    { operation: "INSERT", data: { day: 3, id: 1, note: "new" } },
    { operation: "INSERT", data: { day: 3, id: 2, note: "new" } },
    { operation: "UPDATE", data: { day: 1, id: 1, note: "a!" }, old: { note: "a" } },
    { operation: "UPDATE", data: { day: 2, id: 1, note: "b!" }, old: { note: "b" } },
  ]);
});

it("TRUNCATE of the root is one TRUNCATE, of a partition the DELETE of each of its rows", async () => {
  const { told } = bound(await open());
  const rows = `INSERT INTO log VALUES (1, 1), (2, 2), (3, 3), (3, 4)`;
  await told(rows);
  expect(await told(`TRUNCATE log`)).toEqual(["TRUNCATE log"]);
  await told(rows);
  expect(await told(`TRUNCATE log_2`)).toEqual([`DELETE log {"id":2,"day":2}`]);
  expect(await told(`TRUNCATE log_3`)).toEqual([
    `DELETE log {"id":3,"day":3}`,
    `DELETE log {"id":4,"day":3}`,
  ]);
  expect(await told(`BEGIN; TRUNCATE log; INSERT INTO log VALUES (1, 9); TRUNCATE log_1; COMMIT`)).toEqual([
    "TRUNCATE log",
    `INSERT log {"id":9,"day":1}`,
    `DELETE log {"id":9,"day":1}`,
  ]);
});

it("partitions that come later are watched, those that are detached are not any more", async () => {
  const { told } = bound(await open());
  expect(
    await told(`CREATE TABLE log_4 PARTITION OF log FOR VALUES FROM (4) TO (5); INSERT INTO log_4 VALUES (4, 1);
      CREATE TABLE log_extra (LIKE log INCLUDING ALL); ALTER TABLE log ATTACH PARTITION log_extra FOR VALUES FROM (5) TO (6);
      INSERT INTO log_extra VALUES (5, 1);
      CREATE TABLE log_3_b PARTITION OF log_3 FOR VALUES IN (77); INSERT INTO log_3_b VALUES (3, 77);
      ALTER TABLE log DETACH PARTITION log_extra; INSERT INTO log_extra VALUES (5, 2); TRUNCATE log_extra;
      ALTER TABLE log RENAME TO "Log"; INSERT INTO log_1 VALUES (1, 5); ALTER TABLE "Log" RENAME TO log`),
  ).toEqual([
    `INSERT log {"id":1,"day":4}`,
    `INSERT log {"id":1,"day":5}`,
    `INSERT log {"id":77,"day":3}`,
    `INSERT "Log" {"id":5,"day":1}`,
  ]);
});

it("where no event trigger may be made, watching again covers new partitions", async () => {
  const outbox_ = await open();
  const { told } = bound(outbox_);
  await outbox_.sql(`ALTER EVENT TRIGGER rowcast_follow_ddl DISABLE`);
  expect(
    await told(`CREATE TABLE log_4 PARTITION OF log FOR VALUES FROM (4) TO (5); INSERT INTO log_4 VALUES (4, 1);
      SELECT rowcast.watch('log'); INSERT INTO log_4 VALUES (4, 2)`),
  ).toEqual([`INSERT log {"id":2,"day":4}`]);
  await outbox_.sql(`ALTER EVENT TRIGGER rowcast_follow_ddl ENABLE`);
});

it("a partition alone is refused, with the table to watch", async () => {
  await expect((await open()).sql(`SELECT rowcast.watch('log_1')`)).rejects.toMatchObject({
    message: "log_1 is a partition",
    hint: "SELECT rowcast.watch('log') watches the whole table.",
  });
});

it("unwatching the root silences all", async () => {
  expect(
    await bound(await open()).told(`SELECT rowcast.unwatch('log'); INSERT INTO log VALUES (1, 1);
      INSERT INTO log_1 VALUES (1, 2); TRUNCATE log_1; TRUNCATE log`),
  ).toEqual([]);
});

function bound(target: Outbox): Pick<Outbox, "told"> {
  return { told: (statements) => target.told(statements) };
}
