/** Every way of writing to a watched table ends in the outbox as what it did, once. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Outbox } from "./outbox.ts";
import { copyFrom } from "./copy.ts";

let outbox: Outbox;

beforeAll(async () => {
  outbox = await Outbox.open();
  await outbox.sql(`
    CREATE TABLE item (id int PRIMARY KEY, name text, n int);
    CREATE TABLE part (id int PRIMARY KEY, item int REFERENCES item ON DELETE CASCADE ON UPDATE CASCADE);
    SELECT rowcast.watch('item');
    SELECT rowcast.watch('part');`);
});
afterAll(() => outbox.database.drop());
beforeEach(() =>
  outbox.sql(
    `TRUNCATE item, part; INSERT INTO item VALUES (1, 'a', 1), (2, 'b', 2); INSERT INTO part VALUES (10, 1)`,
  ),
);

describe("statements", () => {
  it("a multi-row INSERT is one change a row, in the order of the rows", async () => {
    expect(await outbox.told(`INSERT INTO item VALUES (5, 'x'), (3, 'y'), (4, 'z')`)).toEqual([
      `INSERT item {"id":5}`,
      `INSERT item {"id":3}`,
      `INSERT item {"id":4}`,
    ]);
  });

  it("an UPDATE carries the new row and the former values of what changed", async () => {
    await outbox.next();
    await outbox.sql(`UPDATE item SET n = 7, name = name WHERE id = 1`);
    const [change, ...others] = await outbox.next();
    expect(others).toEqual([]);
    expect(change).toMatchObject({ operation: "UPDATE", key: { id: 1 }, old: { n: 1 } });
    expect(change?.data).toEqual({ id: 1, name: "a", n: 7 });
    expect(change?.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  });

  it("an UPDATE from and to null is a change", async () => {
    await outbox.sql(`UPDATE item SET name = NULL WHERE id = 1`);
    await outbox.next();
    await outbox.sql(`UPDATE item SET name = 'back', n = NULL WHERE id = 1`);
    expect((await outbox.next())[0]?.old).toEqual({ name: null, n: 1 });
  });

  it("an UPDATE that changes nothing says nothing, also beside rows that it changes", async () => {
    expect(await outbox.told(`UPDATE item SET n = 2`)).toEqual([`UPDATE item {"id":1}`]);
    expect(await outbox.told(`UPDATE item SET n = n`)).toEqual([]);
  });

  it("a DELETE carries the row as it was", async () => {
    await outbox.next();
    await outbox.sql(`DELETE FROM item WHERE id = 2`);
    expect(await outbox.next()).toMatchObject([
      { operation: "DELETE", key: { id: 2 }, data: { id: 2, name: "b", n: 2 }, old: null },
    ]);
  });

  it("TRUNCATE is one change for each table that it empties", async () => {
    expect((await outbox.told(`TRUNCATE item CASCADE`)).toSorted()).toEqual([
      "TRUNCATE item",
      "TRUNCATE part",
    ]);
  });

  it("a statement that touches no row says nothing, rings nothing and takes no transaction id", async () => {
    expect(
      await outbox.told(`UPDATE item SET n = 0 WHERE id = 99; DELETE FROM item WHERE id = 99;
        INSERT INTO item SELECT 1 WHERE false`),
    ).toEqual([]);
    await outbox.sql(`BEGIN`);
    await outbox.sql(`UPDATE item SET n = 0 WHERE id = 99`);
    expect(await outbox.sql(`SELECT pg_current_xact_id_if_assigned() AS xid`)).toEqual([{ xid: null }]);
    await outbox.sql(`COMMIT`);
  });

  it("upserts say which of the two they did", async () => {
    expect(
      await outbox.told(`INSERT INTO item VALUES (9, 'new', 1) ON CONFLICT DO NOTHING;
        INSERT INTO item VALUES (9, 'other', 1) ON CONFLICT DO NOTHING`),
    ).toEqual([`INSERT item {"id":9}`]);
    const told = await outbox.told(`CREATE TABLE kv (k text PRIMARY KEY, v int); SELECT rowcast.watch('kv');
        INSERT INTO kv VALUES ('a', 1);
        INSERT INTO kv VALUES ('a', 2), ('b', 2) ON CONFLICT (k) DO UPDATE SET v = excluded.v`);
    expect(told.toSorted()).toEqual([`INSERT kv {"k":"a"}`, `INSERT kv {"k":"b"}`, `UPDATE kv {"k":"a"}`]);
  });

  it("MERGE is told as the inserts, updates and deletes it made", async () => {
    const told = await outbox.told(`MERGE INTO item USING (VALUES (1), (2), (3)) AS s (id) ON item.id = s.id
      WHEN MATCHED AND s.id = 1 THEN UPDATE SET n = 100
      WHEN MATCHED THEN DELETE
      WHEN NOT MATCHED THEN INSERT VALUES (s.id, 'm', 3)`);
    expect(told.toSorted()).toEqual([`DELETE item {"id":2}`, `INSERT item {"id":3}`, `UPDATE item {"id":1}`]);
  });

  it("writes inside a WITH are told", async () => {
    const told = await outbox.told(`WITH gone AS (DELETE FROM item WHERE id = 2 RETURNING *)
      INSERT INTO item SELECT id + 10, name, n FROM gone`);
    expect(told.toSorted()).toEqual([`DELETE item {"id":2}`, `INSERT item {"id":12}`]);
  });

  it("COPY is told", async () => {
    await outbox.next();
    await copyFrom(outbox.database.client, "COPY item FROM STDIN", "21\tc\t1\n22\td\t\\N\n");
    expect(await outbox.next()).toMatchObject([
      { operation: "INSERT", data: { id: 21, name: "c", n: 1 } },
      { operation: "INSERT", data: { id: 22, name: "d", n: null } },
    ]);
  });

  it("what a foreign key cascades to is told", async () => {
    expect((await outbox.told(`DELETE FROM item WHERE id = 1`)).toSorted()).toEqual([
      `DELETE item {"id":1}`,
      `DELETE part {"id":10}`,
    ]);
  });
});

describe("keys that change", () => {
  it("an UPDATE of the primary key is a DELETE and then an INSERT", async () => {
    await outbox.next();
    await outbox.sql(`UPDATE item SET id = 3, n = 30 WHERE id = 2`);
    expect(await outbox.next()).toMatchObject([
      { operation: "DELETE", key: { id: 2 }, data: { id: 2, n: 2 }, old: null },
      { operation: "INSERT", key: { id: 3 }, data: { id: 3, n: 30 }, old: null },
    ]);
  });

  it("two rows that swap their keys are two updates of what the keys stand for", async () => {
    await outbox.sql(`CREATE TABLE seat (id int PRIMARY KEY DEFERRABLE, guest text);
      SELECT rowcast.watch('seat'); INSERT INTO seat VALUES (1, 'a'), (2, 'b')`);
    await outbox.next();
    await outbox.sql(`UPDATE seat SET id = 3 - id`);
    const swapped = await outbox.next();
    expect(swapped.map((change) => [change.operation, change.data, change.old])).toEqual(
      expect.arrayContaining([
        ["UPDATE", { id: 1, guest: "b" }, { guest: "a" }],
        ["UPDATE", { id: 2, guest: "a" }, { guest: "b" }],
      ]),
    );
    expect(swapped).toHaveLength(2);
  });
});

describe("transactions", () => {
  it("what a savepoint takes back is never told, what comes around it is", async () => {
    expect(
      await outbox.told(`BEGIN; INSERT INTO item VALUES (31); SAVEPOINT s; INSERT INTO item VALUES (32);
        ROLLBACK TO s; INSERT INTO item VALUES (33); COMMIT`),
    ).toEqual([`INSERT item {"id":31}`, `INSERT item {"id":33}`]);
  });

  it("what is rolled back is never told", async () => {
    expect(await outbox.told(`BEGIN; INSERT INTO item VALUES (41); TRUNCATE part; ROLLBACK`)).toEqual([]);
  });

  it("changes carry the transaction that the writer was told of", async () => {
    await outbox.next();
    const [row] = await outbox.sql<{ xid: string }>(
      `INSERT INTO item VALUES (51) RETURNING pg_current_xact_id()::text AS xid`,
    );
    expect(await outbox.next()).toMatchObject([{ xid: row?.xid }]);
  });

  it("the doorbell rings once for a transaction that commits, and not for one that does not", async () => {
    const listener = await outbox.connect();
    const rings: (string | undefined)[] = [];
    listener.on("notification", ({ channel, payload }) => rings.push(`${channel}:${payload ?? ""}`));
    await listener.query("LISTEN rowcast_changes; LISTEN done");
    await outbox.sql(`BEGIN; INSERT INTO item VALUES (61); ROLLBACK`);
    await outbox.sql(`BEGIN; INSERT INTO item VALUES (61); UPDATE item SET n = 5 WHERE id = 61; COMMIT`);
    await outbox.sql(`UPDATE item SET n = 5 WHERE id = 61`);
    const done = new Promise<void>((resolve) => {
      listener.on("notification", ({ channel }) => {
        if (channel === "done") resolve();
      });
    });
    await outbox.sql(`NOTIFY done`);
    await done;
    await listener.end();
    expect(rings).toEqual(["rowcast_changes:", "done:"]);
  });
});
