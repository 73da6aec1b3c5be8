/** Random writers at once on tables whose triggers write to them and to each other: replayed, the outbox is the tables. */
import { DatabaseError } from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Outbox } from "./outbox.ts";
import { generator } from "./random.ts";
import { Replay } from "./replay.ts";

const WRITERS = 4;
const TRANSACTIONS = 120;
const ROWS = 12;

let outbox: Outbox;

beforeAll(async () => {
  outbox = await Outbox.open();
  // What the triggers do depends on n; `free` has none.
  await outbox.sql(`
    CREATE TABLE a (id int PRIMARY KEY, n int NOT NULL, s text);
    CREATE TABLE b (id int PRIMARY KEY, n int NOT NULL, s text) PARTITION BY HASH (id);
    CREATE TABLE b_0 PARTITION OF b FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE b_1 PARTITION OF b FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    CREATE TABLE free (id int PRIMARY KEY, n int NOT NULL, s text);
    SELECT rowcast.watch('a'), rowcast.watch('b', '{n}'), rowcast.watch('free');

    CREATE FUNCTION a_row() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF pg_trigger_depth() > 8 THEN RETURN NULL; END IF;
      IF TG_OP = 'DELETE' THEN
        IF OLD.n % 4 = 1 THEN INSERT INTO a VALUES (OLD.id, OLD.n * (OLD.n % 3) / 2, OLD.s) ON CONFLICT DO NOTHING; END IF;
      ELSIF NEW.n % 7 = 6 THEN
        DELETE FROM a WHERE id = NEW.id;
      ELSIF NEW.n % 4 = 3 THEN
        UPDATE a SET n = n - 1, s = TG_OP WHERE id = NEW.id;
      ELSIF NEW.n % 8 = 4 THEN
        INSERT INTO b VALUES (NEW.id, NEW.n / 2) ON CONFLICT (id) DO UPDATE SET n = excluded.n;
      ELSIF NEW.n % 8 = 5 THEN
        BEGIN
          UPDATE a SET n = n - 2 WHERE id IN (NEW.id, NEW.id + 1);
          PERFORM 1 / (NEW.id % 3);
        EXCEPTION WHEN division_by_zero THEN
          UPDATE a SET s = 'caught' WHERE id = NEW.id AND s IS DISTINCT FROM 'caught';
        END;
      END IF;
      RETURN NULL;
    END $$;
    CREATE TRIGGER a_row AFTER INSERT OR UPDATE OR DELETE ON a FOR EACH ROW EXECUTE FUNCTION a_row();

    CREATE FUNCTION a_before() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.n % 5 = 0 AND pg_trigger_depth() < 8 THEN DELETE FROM a WHERE id = NEW.id; END IF;
      IF NEW.n % 9 = 2 AND pg_trigger_depth() < 8 THEN UPDATE a SET n = n / 2 WHERE id = NEW.id - 1 AND n > 1; END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER a_before BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION a_before();

    CREATE FUNCTION a_statement() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF pg_trigger_depth() > 8 THEN RETURN NULL; END IF;
      UPDATE a SET n = a.n - 3 FROM changed WHERE a.id = changed.id AND a.n > 30;
      RETURN NULL;
    END $$;
    CREATE TRIGGER "A_statement" AFTER UPDATE ON a REFERENCING NEW TABLE AS changed
      FOR EACH STATEMENT EXECUTE FUNCTION a_statement();

    CREATE FUNCTION b_row() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF pg_trigger_depth() > 8 THEN RETURN NULL; END IF;
      IF NEW.n % 3 = 1 THEN UPDATE b SET n = n / 2 WHERE id = NEW.id;
      ELSIF NEW.n % 3 = 2 THEN UPDATE a SET n = NEW.n / 2 WHERE id = NEW.id;
      ELSIF NEW.n % 6 = 3 THEN UPDATE b SET s = s || '.' WHERE id = NEW.id; DELETE FROM b WHERE id = NEW.id;
      END IF;
      RETURN NULL;
    END $$;
    CREATE TRIGGER b_row AFTER INSERT OR UPDATE ON b FOR EACH ROW EXECUTE FUNCTION b_row();`);
});
afterAll(() => outbox.database.drop());

it(
  "4 writers with nested triggers, upserts, MERGE, savepoints and rollbacks: every change continues the one before",
  { timeout: 120_000 },
  async () => {
    await outbox.next();
    const outcomes = await Promise.all(Array.from({ length: WRITERS }, (_, i) => writeAtRandom(i + 1)));
    expect(Math.min(...outcomes)).toBeGreaterThan(TRANSACTIONS / 3);

    const changes = await outbox.next();
    expect(changes.length).toBeGreaterThan(WRITERS * TRANSACTIONS);
    for (const [table, columns] of [
      ["a", "id, n, s"],
      ["b", "id, n"],
      ["free", "id, n, s"],
    ] as const) {
      const replay = new Replay().apply(changes.filter((change) => change.table === table));
      expect(replay.misfits, table).toEqual([]);
      const rows = await outbox.sql<{ row: { id: number } }>(
        `SELECT to_jsonb(t) AS row FROM (SELECT ${columns} FROM ${table} ORDER BY id) t`,
      );
      expect(
        replay.table.toSorted((x, y) => Number(x["id"]) - Number(y["id"])),
        table,
      ).toEqual(rows.map(({ row }) => row));
    }
  },
);

/** Returns how many transactions were committed. Deadlocks and conflicts of keys end the others, as they do in real life. */
async function writeAtRandom(seed: number): Promise<number> {
  const random = generator(seed);
  const client = await outbox.connect();
  await client.query(`SET deadlock_timeout = '20ms'`);
  let committed = 0;
  for (let i = 0; i < TRANSACTIONS; i += 1) {
    const statements = ["BEGIN"];
    for (let left = 1 + random(4); left > 0; left -= 1) {
      if (random(5) === 0)
        statements.push("SAVEPOINT s", statement(random), "ROLLBACK TO s", statement(random));
      else statements.push(statement(random));
    }
    const ends = random(6) === 0 ? "ROLLBACK" : "COMMIT";
    try {
      await client.query([...statements, ends].join(";"));
      if (ends === "COMMIT") committed += 1;
    } catch (error) {
      await client.query("ROLLBACK");
      // Deadlock, a row that has moved, a key that was there already, or a row that a trigger of the same statement had changed.
      if (!(error instanceof DatabaseError && /^(40P01|40001|23505|27000|21000)$/.test(error.code ?? "")))
        throw error;
    }
  }
  await client.end();
  return committed;
}

function statement(random: (below: number) => number): string {
  const table = ["a", "a", "a", "b", "free"][random(5)] ?? "a";
  const id = 1 + random(ROWS);
  const n = random(60);
  switch (random(7)) {
    case 0:
      return `DELETE FROM ${table} WHERE id BETWEEN ${id} AND ${id + random(3)}`;
    case 1:
      return `INSERT INTO ${table} VALUES (${id}, ${n}), (${id + 1}, ${n + 1}) ON CONFLICT DO NOTHING`;
    case 2:
      return `INSERT INTO ${table} SELECT i, ${n} + i FROM generate_series(${id}, ${id + 2}) i
        ON CONFLICT (id) DO UPDATE SET n = excluded.n, s = 'upsert'`;
    case 3:
      return `MERGE INTO ${table} t USING generate_series(${id}, ${id + 3}) s (id) ON t.id = s.id
        WHEN MATCHED AND t.n % 3 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET n = ${n}
        WHEN NOT MATCHED THEN INSERT VALUES (s.id, ${n})`;
    case 4:
      return `UPDATE ${table} SET id = id + 100, n = ${n} WHERE id = ${id}`;
    default:
      return `UPDATE ${table} SET n = ${n} + id WHERE id BETWEEN ${id} AND ${id + random(4)}`;
  }
}
