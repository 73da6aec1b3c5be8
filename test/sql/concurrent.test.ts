/** Random writers at once, read while they write: promises 1 to 3 of the design, in one. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { isVisible, parseSnapshot } from "../../protocol/snapshot.ts";
import type { OutboxChange } from "../../protocol/ingest.ts";
import { brief, Outbox } from "./outbox.ts";
import { generator } from "./random.ts";

const WRITERS = 8;
const TRANSACTIONS = 250;
const ROWS = 40;

let outbox: Outbox;

beforeAll(async () => {
  outbox = await Outbox.open();
  await outbox.sql(`CREATE TABLE account (id int PRIMARY KEY, n int NOT NULL); SELECT rowcast.watch('account');
    CREATE TABLE done (xid xid8, changes int);
    INSERT INTO account SELECT i, 0 FROM generate_series(1, ${ROWS}) i`);
});
afterAll(() => outbox.database.drop());

it(
  "8 writers with rollbacks and savepoints: nothing is lost, doubled or out of order",
  { timeout: 120_000 },
  async () => {
    await outbox.next();
    let writing = true;
    const seen: OutboxChange[] = [];
    const reading = (async () => {
      for (let last = false; !last;) {
        last = !writing;
        seen.push(...(await outbox.next(70, 15_000)));
      }
    })();
    await Promise.all(Array.from({ length: WRITERS }, (_, seed) => writeAtRandom(seed + 1)));
    writing = false;
    await reading;

    const ids = seen.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const stored = await outbox.sql<{ id: string }>(`SELECT id::text FROM rowcast.changes WHERE id >= $1`, [
      ids.reduce((least, id) => (BigInt(id) < BigInt(least) ? id : least), ids[0] ?? "0"),
    ]);
    expect(ids.toSorted()).toEqual(stored.map(({ id }) => id).toSorted());

    // Each transaction that committed is there with all it did.
    const perTransaction = Map.groupBy(seen, ({ xid }) => xid);
    const committed = await outbox.sql<{ xid: string; changes: number }>(
      `SELECT xid::text, changes FROM done`,
    );
    expect([...perTransaction.keys()].toSorted()).toEqual(
      committed
        .filter(({ changes }) => changes > 0)
        .map(({ xid }) => xid)
        .toSorted(),
    );
    for (const { xid, changes } of committed) expect(perTransaction.get(xid)?.length ?? 0).toBe(changes);

    // Per row: n counts its updates, so that each change continues exactly the one before.
    for (const [key, changes] of Map.groupBy(seen, brief)) {
      const values = changes.map(({ data }) => data?.["n"]);
      expect(values, key).toEqual(values.map((_, i) => i + 1));
      expect(changes.map(({ old }) => old?.["n"])).toEqual(values.map((_, i) => i));
    }
  },
);

it("a snapshot means to protocol/snapshot.ts what it means to Postgres", async () => {
  const random = generator(7);
  for (let round = 0; round < 300; round += 1) {
    const xmin = 1 + random(1000);
    const xmax = xmin + random(40);
    const running = Array.from({ length: xmax - xmin }, (_, i) => xmin + i).filter(
      (x) => x === xmin || random(3) === 0,
    );
    const text = `${running[0] ?? xmax}:${xmax}:${running.join(",")}`;
    const rows = await outbox.sql<{ xid: string; visible: boolean }>(
      `SELECT x::text AS xid, pg_visible_in_snapshot(x::text::xid8, $1::text::pg_snapshot) AS visible
       FROM generate_series(greatest($2::int - 3, 1), $3::int + 3) x`,
      [text, xmin, xmax],
    );
    const snapshot = parseSnapshot(text);
    expect(
      rows.map(({ xid }) => isVisible(xid, snapshot)),
      text,
    ).toEqual(rows.map(({ visible }) => visible));
  }
});

/** Transactions of one to four updates, in the order of ids so that they never deadlock; some end in ROLLBACK. */
async function writeAtRandom(seed: number): Promise<void> {
  const random = generator(seed);
  const client = await outbox.connect();
  for (let i = 0; i < TRANSACTIONS; i += 1) {
    const rows = Array.from({ length: 1 + random(4) }, () => 1 + random(ROWS)).toSorted((a, b) => a - b);
    let kept = 0;
    const statements = ["BEGIN"];
    for (const row of rows) {
      const update = `UPDATE account SET n = n + 1 WHERE id = ${row}`;
      if (random(4) === 0) statements.push("SAVEPOINT s", update, "ROLLBACK TO s");
      else {
        statements.push(update);
        kept += 1;
      }
    }
    statements.push(`INSERT INTO done VALUES (pg_current_xact_id(), ${kept})`);
    statements.push(random(5) === 0 ? "ROLLBACK" : "COMMIT");
    if (random(2) === 0) await client.query(statements.join(";"));
    else for (const statement of statements) await client.query(statement);
  }
  await client.end();
}
