/** Triggers of users that write to the watched table themselves: the outbox still holds each row's changes as they happened. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { copyFrom } from "./copy.ts";
import { NestedOutbox, reaction } from "./nested.ts";

let outbox: NestedOutbox;

beforeAll(async () => {
  outbox = await NestedOutbox.open();
});
afterAll(() => outbox.database.drop());
afterEach(() => outbox.clear());

describe("a trigger on the row that was written", () => {
  it("AFTER INSERT that updates it: the INSERT comes first", async () => {
    expect(
      await outbox.written(
        reaction("AFTER INSERT", `UPDATE t SET n = n + 1 WHERE id = NEW.id`),
        `INSERT INTO t VALUES (1)`,
      ),
    ).toEqual([`INSERT t {"id":1}`, `UPDATE t {"id":1}`]);
  });

  it("a multi-row INSERT and COPY: each row's INSERT comes before its UPDATE", async () => {
    const trigger = reaction("AFTER INSERT", `UPDATE t SET n = n + 1 WHERE id <= NEW.id`);
    const told = await outbox.written(trigger, async () => {
      await outbox.sql(`INSERT INTO t VALUES (1), (2), (3)`);
      await copyFrom(outbox.database.client, "COPY t (id) FROM STDIN", "4\n5\n");
    });
    expect(told).toHaveLength(5 + (1 + 2 + 3) + (4 + 5));
  });

  it("AFTER UPDATE that updates it once more, also back to what it was", async () => {
    const rows = `INSERT INTO t VALUES (1), (2);`;
    expect(
      await outbox.written(
        rows + reaction("AFTER UPDATE", `UPDATE t SET n = 7 WHERE id = NEW.id AND n <> 7`),
        `UPDATE t SET n = 5; UPDATE t SET n = 6 WHERE id = 2`,
      ),
    ).toHaveLength(6);
    await outbox.sql(`DROP TABLE t CASCADE`);
    expect(
      await outbox.written(
        rows + reaction("AFTER UPDATE", `UPDATE t SET n = OLD.n WHERE id = NEW.id AND n = 5`),
        `UPDATE t SET n = 5`,
      ),
    ).toHaveLength(4);
  });

  it("AFTER INSERT that deletes it: it is gone in the end", async () => {
    expect(
      await outbox.written(
        reaction("AFTER INSERT", `DELETE FROM t WHERE id = NEW.id AND NEW.n = 1`),
        `INSERT INTO t VALUES (1, 1), (2, 2)`,
      ),
    ).toEqual([`INSERT t {"id":1}`, `INSERT t {"id":2}`, `DELETE t {"id":1}`]);
  });

  it("BEFORE INSERT that deletes its predecessor, equal or not: it is there in the end", async () => {
    const rows = `INSERT INTO t VALUES (1, 1), (2, 2);`;
    expect(
      await outbox.written(
        rows + reaction("BEFORE INSERT", `DELETE FROM t WHERE id = NEW.id`),
        `INSERT INTO t VALUES (1, 1), (2, 9)`,
      ),
    ).toEqual([`DELETE t {"id":1}`, `DELETE t {"id":2}`, `INSERT t {"id":1}`, `INSERT t {"id":2}`]);
  });

  it("BEFORE INSERT or UPDATE that updates another row of the same statement: behind what the statement did to it", async () => {
    await outbox.written(
      reaction("BEFORE INSERT", `UPDATE t SET n = 0 WHERE n > 0`) +
        reaction("BEFORE UPDATE", `UPDATE t SET s = s || '!' WHERE id < NEW.id AND NEW.n = 5`, {
          name: "also",
        }),
      `INSERT INTO t VALUES (1, 1), (2, 1), (3, 1); UPDATE t SET n = 5, s = 's' WHERE pg_trigger_depth() = 0`,
    );
  });

  it("AFTER DELETE that brings it back, as it was or changed", async () => {
    await outbox.written(
      `INSERT INTO t VALUES (1, 1), (2, 2), (3, 3);` +
        reaction("AFTER DELETE", `INSERT INTO t SELECT OLD.id, OLD.n * OLD.n, OLD.s WHERE OLD.n < 3`),
      `DELETE FROM t`,
    );
  });

  it("AFTER UPDATE of its key that deletes it, and that moves on once more", async () => {
    await outbox.written(
      `INSERT INTO t VALUES (1), (2);` +
        reaction(
          "AFTER UPDATE",
          `UPDATE t SET id = id + 10 WHERE id = NEW.id AND id < 30; DELETE FROM t WHERE id = 31`,
        ),
      `UPDATE t SET id = id + 5`,
    );
  });

  it("AFTER STATEMENT with a name in front of Rowcast's: the same", async () => {
    expect(
      await outbox.written(
        reaction("AFTER INSERT", `UPDATE t SET n = 1`, { level: "STATEMENT", name: `"A"` }),
        `INSERT INTO t VALUES (1), (2)`,
      ),
    ).toEqual([`INSERT t {"id":1}`, `INSERT t {"id":2}`, `UPDATE t {"id":1}`, `UPDATE t {"id":2}`]);
    await outbox.sql(`DROP FUNCTION public."A" CASCADE`);
  });

  it("several levels deep, with a key of several columns, watched columns and virtual ones", async () => {
    const up = reaction("AFTER INSERT OR UPDATE", `UPDATE t SET n = n + 1 WHERE id = NEW.id AND n < 6`);
    expect(await outbox.written(up, `INSERT INTO t VALUES (1, 0), (2, 3)`)).toEqual([
      `INSERT t {"id":1}`,
      `INSERT t {"id":2}`,
      ...Array.from({ length: 6 }, () => `UPDATE t {"id":1}`),
      ...Array.from({ length: 3 }, () => `UPDATE t {"id":2}`),
    ]);
    await outbox.sql(`DROP TABLE t CASCADE;
      CREATE TABLE t (id int, n int DEFAULT 0, s text, k text DEFAULT 'x', v int GENERATED ALWAYS AS (n * 2) VIRTUAL,
        PRIMARY KEY (k, id)); SELECT rowcast.watch('t', '{n,v}')`);
    await outbox.sql(up + `INSERT INTO t VALUES (1), (2); UPDATE t SET s = 's', n = 3`);
    const ns = (await outbox.next()).filter(({ key }) => key?.["id"] === 1).map(({ data }) => data?.["v"]);
    expect(ns).toEqual([0, 2, 4, 6, 8, 10, 12, 6, 8, 10, 12]);
  });
});

describe("statements of several kinds at once", () => {
  const up = reaction(
    "AFTER INSERT OR UPDATE",
    `UPDATE t SET n = n + 1, s = TG_OP WHERE id = NEW.id AND n < 10`,
  );

  it("upserts, also ones without a row", async () => {
    await outbox.written(
      up + `INSERT INTO t VALUES (1, 10), (2, 10);`,
      `INSERT INTO t VALUES (1, 8), (3, 8), (2, 10), (4, 8) ON CONFLICT (id) DO UPDATE SET n = excluded.n;
       INSERT INTO t SELECT 9 WHERE false ON CONFLICT (id) DO UPDATE SET n = 0; UPDATE t SET n = 0 WHERE id = 2;
       INSERT INTO t VALUES (1, 1) ON CONFLICT DO NOTHING`,
    );
  });

  it("MERGE", async () => {
    await outbox.written(
      up + `INSERT INTO t VALUES (1, 10), (2, 10), (3, 10);`,
      `MERGE INTO t USING (VALUES (1), (2), (3), (4)) AS s (id) ON t.id = s.id
         WHEN MATCHED AND s.id = 1 THEN UPDATE SET n = 7
         WHEN MATCHED AND s.id = 2 THEN DELETE
         WHEN NOT MATCHED THEN INSERT VALUES (s.id, 7)`,
    );
  });

  it("writes inside a WITH, which end in another order than they begin", async () => {
    await outbox.written(
      up + `INSERT INTO t VALUES (1, 10), (2, 10), (3, 10);`,
      `WITH gone AS (DELETE FROM t WHERE id < 3 RETURNING *), up AS (UPDATE t SET n = 5 WHERE id = 3)
       INSERT INTO t SELECT id + 10, 6 FROM gone LIMIT 1; INSERT INTO t VALUES (1)`,
    );
  });

  it("a statement that calls a function which writes", async () => {
    await outbox.sql(`CREATE FUNCTION pg_temp.more(i int) RETURNS int LANGUAGE plpgsql AS $$
      BEGIN INSERT INTO public.t VALUES (i + 100, 5); UPDATE public.t SET n = 0 WHERE id = i - 1; RETURN i; END $$`);
    await outbox.written(up, `INSERT INTO t SELECT pg_temp.more(i), 3 FROM generate_series(1, 3) i`);
  });

  it("what a foreign key cascades to", async () => {
    await outbox.written(
      `CREATE TABLE note (id int PRIMARY KEY); ALTER TABLE t ADD note int REFERENCES note ON DELETE SET NULL;` +
        `INSERT INTO note VALUES (1), (2); INSERT INTO t VALUES (1, 10, '', 1), (2, 10, '', 2), (3, 10, '', 2);` +
        reaction("AFTER UPDATE", `UPDATE t SET s = s || '!' WHERE note IS NULL AND s < '!!'`),
      `DELETE FROM note`,
    );
  });
});

describe("foreign keys that write to one row twice", () => {
  const tables = (
    actions: string,
  ): string => `CREATE TABLE note (id int PRIMARY KEY); INSERT INTO note SELECT generate_series(1, 5);
    ALTER TABLE t ADD a int REFERENCES note ${actions}, ADD b int REFERENCES note ON DELETE SET NULL;`;

  it("two that are set to null by one DELETE are one UPDATE", async () => {
    const told = await outbox.written(
      tables("ON DELETE SET NULL") + `INSERT INTO t (id, a, b) VALUES (1, 1, 2), (2, 2, 1), (3, 1, NULL);`,
      `DELETE FROM note WHERE id < 3`,
    );
    expect(told.toSorted()).toEqual([`UPDATE t {"id":1}`, `UPDATE t {"id":2}`, `UPDATE t {"id":3}`]);
  });

  it("one that is set to null beside an UPDATE in the same WITH", async () => {
    await outbox.written(
      tables("") + `INSERT INTO t (id, b) VALUES (1, 1), (2, 2);`,
      `WITH gone AS (DELETE FROM note WHERE id = 1) UPDATE t SET n = 5`,
    );
  });

  it("a row that is updated and then deleted is gone in the end", async () => {
    await outbox.written(
      tables("ON DELETE CASCADE") + `INSERT INTO t (id, a, b) VALUES (1, 1, NULL), (9, 3, 2), (10, NULL, 4);`,
      `DELETE FROM note WHERE id < 5`,
    );
  });

  it("a tree whose keys all change", async () => {
    await outbox.written(
      `ALTER TABLE t ADD parent int REFERENCES t ON UPDATE CASCADE, ADD v int GENERATED ALWAYS AS (n + 1) VIRTUAL;
       INSERT INTO t (id, parent) VALUES (1, NULL), (2, 1), (3, 1), (4, 3);`,
      `UPDATE t SET id = id + 10, n = n + 1; UPDATE t SET id = id + 100 WHERE id IN (11, 14); UPDATE t SET n = 0 WHERE id = 12`,
    );
  });
});
