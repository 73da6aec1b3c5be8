/** The marks of nested statements: through transactions and partitions, where they are made, and when they are broken. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { NestedOutbox, reaction, TABLE } from "./nested.ts";
import { brief } from "./outbox.ts";
import { Replay } from "./replay.ts";

let outbox: NestedOutbox;

beforeAll(async () => {
  outbox = await NestedOutbox.open();
});
afterAll(() => outbox.database.drop());
afterEach(() => outbox.clear());

describe("transactions", () => {
  const up = reaction("AFTER INSERT OR UPDATE", `UPDATE t SET n = n + 1 WHERE id = NEW.id AND n < 2`);

  it("savepoints and caught exceptions take their statements' marks with them", async () => {
    await outbox.written(
      up,
      `BEGIN; INSERT INTO t VALUES (1); SAVEPOINT a; UPDATE t SET n = 0; INSERT INTO t VALUES (2); ROLLBACK TO a;
       INSERT INTO t VALUES (2); UPDATE t SET n = 1 WHERE id = 1;
       DO $$ BEGIN INSERT INTO t VALUES (3), (2); EXCEPTION WHEN unique_violation THEN INSERT INTO t VALUES (4), (5); END $$;
       UPDATE t SET n = 0; COMMIT; INSERT INTO t VALUES (6)`,
    );
  });

  it("a trigger that fails within a statement whose error it catches", async () => {
    await outbox.written(
      reaction(
        "AFTER INSERT",
        `BEGIN UPDATE t SET n = 1 WHERE id = NEW.id; INSERT INTO t SELECT NEW.id + 1, NEW.n + 1 WHERE NEW.n < 5;
           IF NEW.n = 3 THEN RAISE 'no'; END IF; EXCEPTION WHEN raise_exception THEN UPDATE t SET s = 'e' WHERE id = NEW.id; END`,
      ),
      `INSERT INTO t VALUES (1), (20), (30); INSERT INTO t VALUES (40)`,
    );
  });

  it("statements one after the other keep their order, whatever another table's trigger adds between them", async () => {
    expect(
      await outbox.written(
        `CREATE TABLE note (id int PRIMARY KEY, t int); SELECT rowcast.watch('note');` +
          reaction("AFTER INSERT", `UPDATE t SET n = n + 10 WHERE id = NEW.t`, { on: "note" }) +
          reaction("AFTER UPDATE", `NULL`, { name: "also" }),
        `BEGIN; INSERT INTO t VALUES (1); INSERT INTO note VALUES (1, 1); UPDATE t SET n = n - 10;
         INSERT INTO note VALUES (2, 1); DELETE FROM t; COMMIT`,
      ),
    ).toEqual([
      `INSERT t {"id":1}`,
      `UPDATE t {"id":1}`,
      `INSERT note {"id":1}`,
      `UPDATE t {"id":1}`,
      `UPDATE t {"id":1}`,
      `INSERT note {"id":2}`,
      `DELETE t {"id":1}`,
    ]);
  });

  it("two tables whose triggers write to each other", async () => {
    await outbox.sql(`CREATE TABLE note (id int PRIMARY KEY, n int); SELECT rowcast.watch('note');
      ${reaction("AFTER INSERT OR UPDATE", `UPDATE t SET n = n + 1 WHERE id = NEW.id AND n < 8`, { on: "note", name: "there" })}`);
    await outbox.sql(TABLE);
    await outbox.sql(
      reaction(
        "AFTER INSERT OR UPDATE",
        `INSERT INTO note VALUES (NEW.id, 1) ON CONFLICT (id) DO UPDATE SET n = note.n + 1`,
      ),
    );
    await outbox.next();
    await outbox.sql(`INSERT INTO t VALUES (1), (2); UPDATE t SET n = 5`);
    const changes = await outbox.next();
    for (const table of ["t", "note"]) {
      await outbox.expectFit(new Replay().apply(changes.filter((change) => change.table === table)), table);
    }
  });

  it("a mark that is missing or broken never makes the writer fail", async () => {
    for (const mark of ["", "/", "/x", "/9999999999999999999", "9", "/-1/", "/1/2/3"]) {
      await outbox.sql(
        TABLE +
          reaction(
            "AFTER INSERT",
            `PERFORM set_config('rowcast.mark_' || TG_RELID || '_insert', '${mark}', true);
             UPDATE t SET n = 1 WHERE id = NEW.id`,
          ),
      );
      await outbox.next();
      await outbox.sql(`INSERT INTO t VALUES (1), (2)`);
      expect((await outbox.next()).map(brief).toSorted()).toEqual([
        `INSERT t {"id":1}`,
        `INSERT t {"id":2}`,
        `UPDATE t {"id":1}`,
        `UPDATE t {"id":2}`,
      ]);
      await outbox.sql(`DROP TABLE t CASCADE; DROP FUNCTION react CASCADE`);
    }
  });

  it("a writer without any right on Rowcast", async () => {
    await outbox.written(up, async () => {
      await outbox.sql(`CREATE ROLE plain_writer; GRANT INSERT, UPDATE, SELECT ON t TO plain_writer`);
      try {
        await outbox.sql(`SET ROLE plain_writer; INSERT INTO t VALUES (1), (2)`);
      } finally {
        await outbox.sql(`RESET ROLE; DROP OWNED BY plain_writer; DROP ROLE plain_writer`);
      }
    });
  });
});

describe("partitions", () => {
  it.each([
    ["the root", "part"],
    ["a partition", "part_1"],
  ])("a trigger on %s, whichever table the statement names", async (_, on) => {
    await outbox.sql(`CREATE TABLE part (id int PRIMARY KEY, n int DEFAULT 0, s text) PARTITION BY RANGE (id);
      CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10);
      CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (10) TO (20); SELECT rowcast.watch('part');
      ${reaction("AFTER INSERT OR UPDATE", `UPDATE part SET n = n + 1 WHERE id = NEW.id AND n < 3`, { on })}`);
    await outbox.next();
    await outbox.sql(`INSERT INTO part VALUES (1), (11), (2); INSERT INTO part_1 VALUES (3), (4);
      UPDATE part SET n = 1; UPDATE part_1 SET n = 0 WHERE id = 4; UPDATE part SET id = id + 10 WHERE id = 2`);
    await outbox.expectFit(new Replay().apply(await outbox.next()), "part");
    await outbox.sql(`DROP TABLE part`);
  });
});

it("a trigger that comes to a partition never takes a writer's locks: it stays without marks until the table is watched again", async () => {
  await outbox.sql(`CREATE TABLE part (id int PRIMARY KEY, n int DEFAULT 0) PARTITION BY RANGE (id);
    CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10);
    CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (10) TO (20); SELECT rowcast.watch('part')`);
  // Looks for a deadlock before there is one: were it to wait on, the writer's look would find it, and end the writer.
  await outbox.sql(`SET deadlock_timeout = '1ms'`);
  const writer = await outbox.connect();
  await writer.query(`BEGIN; INSERT INTO part VALUES (11)`);
  const trigger = outbox.sql(
    reaction("AFTER INSERT", `UPDATE part SET n = 1 WHERE id = NEW.id`, { on: "part_1" }),
  );
  const watching = await outbox.connect();
  for (;;) {
    const { rowCount } = await watching.query(
      `SELECT FROM pg_locks WHERE relation = 'part'::regclass AND NOT granted`,
    );
    if (rowCount === 1) break;
  }
  await Promise.all([trigger, writer.query(`INSERT INTO part VALUES (1); COMMIT`)]);
  await Promise.all([writer.end(), watching.end()]);
  await outbox.next();
  await outbox.sql(`SELECT rowcast.watch('part'); INSERT INTO part VALUES (2)`);
  expect((await outbox.next()).map(brief)).toEqual([`INSERT part {"id":2}`, `UPDATE part {"id":2}`]);
  await outbox.sql(`RESET deadlock_timeout; DROP TABLE part`);
});

describe("who pays for it", () => {
  const marked = async (): Promise<string[]> => {
    const rows = await outbox.sql<{ name: string }>(
      `SELECT DISTINCT relation || ' ' || name AS name FROM rowcast.triggers WHERE name LIKE '%mark%' ORDER BY 1`,
    );
    return rows.map(({ name }) => name);
  };

  it("only tables with an enabled trigger that may write to them, which is followed as it comes and goes", async () => {
    await outbox.sql(
      TABLE +
        reaction("BEFORE UPDATE", `NEW.n := NEW.n + 1`, { name: "also" }) +
        `CREATE TABLE note (t int REFERENCES t)`,
    );
    expect(await marked()).toEqual([]);
    await outbox.sql(reaction("AFTER UPDATE", `NULL`));
    expect(await marked()).toEqual(["t ~rowcast_mark"]);
    await outbox.sql(`ALTER TABLE t DISABLE TRIGGER react`);
    expect(await marked()).toEqual([]);
    await outbox.sql(`ALTER TABLE t ENABLE TRIGGER react`);
    expect(await marked()).toEqual(["t ~rowcast_mark"]);
    await outbox.sql(`SELECT rowcast.unwatch('t')`);
    expect(await marked()).toEqual([]);
    await outbox.sql(`SELECT rowcast.watch('t'); DROP TRIGGER react ON t; SELECT rowcast.watch('t')`);
    expect(await marked()).toEqual([]);
  });

  it("where no event trigger may be made, watching again sees the trigger", async () => {
    await outbox.sql(`ALTER EVENT TRIGGER rowcast_follow_ddl DISABLE`);
    await outbox.sql(TABLE + reaction("AFTER UPDATE", `NULL`));
    expect(await marked()).toEqual([]);
    await outbox.sql(`SELECT rowcast.watch('t')`);
    expect(await marked()).toEqual(["t ~rowcast_mark"]);
    await outbox.sql(`ALTER EVENT TRIGGER rowcast_follow_ddl ENABLE`);
  });

  it("a statement that touches no row still takes no transaction id", async () => {
    await outbox.sql(TABLE + reaction("AFTER UPDATE", `NULL`));
    await outbox.sql(`BEGIN`);
    await outbox.sql(`UPDATE t SET n = 0`);
    expect(await outbox.sql(`SELECT pg_current_xact_id_if_assigned() AS xid`)).toEqual([{ xid: null }]);
    await outbox.sql(`COMMIT`);
  });
});
