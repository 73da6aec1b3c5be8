/** rowcast.read: nothing lost, doubled or out of order, whatever commits when. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { brief, failure, Outbox, read } from "./outbox.ts";

let outbox: Outbox;

beforeAll(async () => {
  outbox = await Outbox.open();
  await outbox.sql(`CREATE TABLE t (id int PRIMARY KEY, body text); SELECT rowcast.watch('t')`);
});
afterAll(() => outbox.database.drop());

describe("the cursor", () => {
  it("of null skips what is in the outbox, and not what is still running", async () => {
    const writer = await outbox.connect();
    await writer.query(`BEGIN; INSERT INTO t VALUES (1)`);
    await outbox.sql(`INSERT INTO t VALUES (2)`);
    const fresh = await read(outbox.database.client, null);
    expect(fresh).toMatchObject({ changes: [], count: 0, more: false });
    await writer.query(`COMMIT`);
    await writer.end();
    const { changes } = await read(outbox.database.client, fresh.cursor);
    expect(changes.map(brief)).toEqual([`INSERT t {"id":1}`]);
  });

  it("of an empty outbox is the beginning of time", async () => {
    const other = await Outbox.open();
    expect(other.cursor).toBe("1:1:");
    await other.database.drop();
  });

  it("stays the same text until there is a change", async () => {
    await outbox.next();
    const before = outbox.cursor;
    await outbox.sql(`CREATE TABLE unwatched (); BEGIN; INSERT INTO t VALUES (1000); ROLLBACK`);
    expect(await outbox.next()).toEqual([]);
    expect(outbox.cursor).toBe(before);
  });

  it("never claims a transaction above the highest in the outbox, whose id a crash could give out again", async () => {
    await outbox.sql(`INSERT INTO t VALUES (3)`);
    for (let i = 0; i < 50; i += 1) await outbox.sql(`BEGIN; INSERT INTO t VALUES (4); ROLLBACK`);
    const [changed] = await outbox.next();
    const fresh = await read(outbox.database.client, null);
    for (const cursor of [outbox.cursor, fresh.cursor])
      expect(cursor.split(":")[1]).toBe(String(BigInt(changed?.xid ?? 0) + 1n));
  });

  it.each([
    "",
    "x",
    "1:1",
    "7:5:",
    "0:0:",
    "5:9:8,6",
    "1:1:|2:2:",
    "1:1:|x|3",
    "1:1:|2:2:|99999999999999999999",
    "1:1:|2:2:|3|4",
  ])("that is none is refused: %j", async (cursor) => {
    const error = await failure(read(outbox.database.client, cursor));
    expect(error.code).toBe("22023");
    expect(error.message).toContain("not a cursor of rowcast.read");
  });
});

describe("other people's transactions", () => {
  it("commits out of the order of ids are all read, each as soon as it is committed", async () => {
    await outbox.next();
    const [a, b, c] = await Promise.all([outbox.connect(), outbox.connect(), outbox.connect()]);
    await a.query(`BEGIN; INSERT INTO t VALUES (11)`);
    await b.query(`BEGIN; INSERT INTO t VALUES (12)`);
    await c.query(`BEGIN; INSERT INTO t VALUES (13)`);
    await b.query(`COMMIT`);
    expect((await outbox.next()).map(brief)).toEqual([`INSERT t {"id":12}`]);
    await c.query(`ROLLBACK`);
    expect(await outbox.next()).toEqual([]);
    await a.query(`COMMIT`);
    expect((await outbox.next()).map(brief)).toEqual([`INSERT t {"id":11}`]);
    await Promise.all([a.end(), b.end(), c.end()]);
  });

  it("one that stays open holds nothing up, and comes when it commits", async () => {
    await outbox.next();
    const old = await outbox.connect();
    await old.query(`BEGIN; INSERT INTO t VALUES (20)`);
    for (let id = 21; id < 25; id += 1) {
      await outbox.sql(`INSERT INTO t VALUES ($1)`, [id]);
      expect((await outbox.next()).map(brief)).toEqual([`INSERT t {"id":${id}}`]);
    }
    await old.query(`UPDATE t SET body = 'late' WHERE id = 20; COMMIT`);
    expect((await outbox.next()).map(brief)).toEqual([`INSERT t {"id":20}`, `UPDATE t {"id":20}`]);
    await old.end();
  });

  it("one that commits while a window is read in pages is in the next window", async () => {
    await outbox.next();
    const late = await outbox.connect();
    await late.query(`BEGIN; INSERT INTO t VALUES (30)`);
    await outbox.sql(`INSERT INTO t SELECT generate_series(31, 36)`);
    const first = await read(outbox.database.client, outbox.cursor, 4);
    expect([first.count, first.more]).toEqual([4, true]);
    await late.query(`COMMIT`);
    await outbox.sql(`INSERT INTO t VALUES (37)`);
    const second = await read(outbox.database.client, first.cursor, 4);
    expect([second.changes.map(({ key }) => key?.["id"]), second.more]).toEqual([[35, 36], true]);
    outbox.cursor = second.cursor;
    expect((await outbox.next()).map(({ key }) => key?.["id"])).toEqual([30, 37]);
    await late.end();
  });
});

describe("pages", () => {
  it("hold at most as many changes and bytes as asked for, and lose none", async () => {
    await outbox.next();
    await outbox.sql(`INSERT INTO t SELECT i, repeat('x', i) FROM generate_series(101, 400) i`);
    const seen: unknown[] = [];
    for (let more = true; more;) {
      const page = await read(outbox.database.client, outbox.cursor, 30, 9000);
      expect(page.count).toBeLessThanOrEqual(30);
      expect(page.bytes).toBeLessThanOrEqual(9000);
      seen.push(...page.changes.map(({ key }) => key?.["id"]));
      ({ cursor: outbox.cursor, more } = page);
    }
    expect(seen).toEqual(Array.from({ length: 300 }, (_, i) => i + 101));
  });

  it("carry rows of 200 KB and 1 MB whole when they fit", async () => {
    await outbox.next();
    await outbox.sql(`INSERT INTO t VALUES (501, repeat('a', 200000)), (502, repeat('ü"', 350000))`);
    const changes = await outbox.next(500, 2_000_000);
    expect(changes.map(({ data, truncated }) => [String(data?.["body"]).length, truncated])).toEqual([
      [200_000, undefined],
      [700_000, undefined],
    ]);
  });

  it("carry only the key of a row that is too large for any page", async () => {
    await outbox.next();
    await outbox.sql(`INSERT INTO t SELECT 510, string_agg(md5(i::text), '') FROM generate_series(1, 40000) i;
      INSERT INTO t VALUES (511, repeat('a', 2000000)), (512, 'small')`);
    expect(await outbox.next()).toMatchObject([
      { key: { id: 510 }, data: null, old: null, truncated: true },
      { key: { id: 511 }, data: null, old: null, truncated: true },
      { key: { id: 512 }, data: { body: "small" } },
    ]);
  });

  it(
    "bring an UPDATE of 100,000 rows in one statement, all of it, in order",
    { timeout: 120_000 },
    async () => {
      await outbox.sql(`INSERT INTO t SELECT i, '' FROM generate_series(1000001, 1100000) i`);
      outbox.cursor = (await read(outbox.database.client, null)).cursor;
      await outbox.sql(`UPDATE t SET body = 'new' WHERE id > 1000000`);
      const ids = new Set<unknown>();
      let last = 0n;
      for (let more = true; more;) {
        const page = await read(outbox.database.client, outbox.cursor, 2000);
        for (const change of page.changes) {
          expect(BigInt(change.id) >= last).toBe(true);
          last = BigInt(change.id);
          ids.add(change.key?.["id"]);
        }
        ({ cursor: outbox.cursor, more } = page);
      }
      expect(ids.size).toBe(100_000);
    },
  );
});
