/** The part of the contract about many writers at once, and about what dies while they write. */
import { describe, expect, it } from "vitest";
import { connect } from "../support/postgres.ts";
import type { Ground } from "./contract.ts";
import { between, seeded } from "./random.ts";
import type { Reader } from "./reader.ts";
import { makeTable } from "./tables.ts";

const WRITERS = 4;
const ROWS = 20;

export function describeConcurrency(ground: Ground): void {
  describe("writers at once, with rollbacks among them", () => {
    it("lose nothing, double nothing, and keep the order of each row", async () => {
      const { name } = await counters(ground);
      const reader = await ground.open();
      const since = reader.position;
      await write(ground, name, 60);
      await everything(ground, name, reader);
      expect(reader.fault(since)).toBeNull();
      expect(brokenRows(reader, name)).toEqual([]);
    });

    it("lose and double nothing when listener, log and hub die meanwhile", async () => {
      const { name } = await counters(ground);
      const reader = await ground.open();
      const since = reader.position;
      const { stack } = ground;
      const faults = [
        () => stack.evictHub("close"),
        async () => {
          await stack.killListener("SIGKILL");
          await stack.startListener();
        },
        () => stack.evictChangeLog(),
        () => stack.evictHub("hibernate"),
      ];
      await write(ground, name, 60, async (done) => {
        if (done % 50 === 25) await faults.shift()?.();
      });
      expect(faults).toEqual([]);
      await everything(ground, name, reader);
      expect(reader.resets).toEqual([]);
      expect(reader.fault(since)).toBeNull();
      expect(brokenRows(reader, name)).toEqual([]);
    });
  });
}

/** Rows that count how often they were updated, so that each change says which one it is. */
async function counters({ stack }: Ground) {
  const table = await makeTable(stack.database.client, "id int PRIMARY KEY, n int NOT NULL, note text", {
    watched: false,
  });
  await stack.database.client.query(
    `INSERT INTO ${table.name} SELECT i, 0, NULL FROM generate_series(1, ${ROWS}) i`,
  );
  await table.watch();
  return table;
}

/** `transactions` by each writer, some of which are rolled back. `each` is awaited after every one, with their number so far. */
async function write(
  { stack }: Ground,
  name: string,
  transactions: number,
  each: (done: number) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  let done = 0;
  const writer = async (_: unknown, number: number): Promise<void> => {
    const random = seeded(1000 + number);
    const client = await connect(stack.database.url);
    try {
      for (let step = 0; step < transactions; step += 1) {
        const commit = random() > 0.2;
        await client.query("BEGIN");
        // In the order of ids, so that no two wait for each other.
        const ids = [between(random, 1, ROWS), between(random, 1, ROWS)].toSorted((a, b) => a - b);
        for (const id of ids)
          await client.query(`UPDATE ${name} SET n = n + 1, note = $2 WHERE id = $1`, [
            id,
            commit ? null : "never",
          ]);
        await client.query(commit ? "COMMIT" : "ROLLBACK");
        done += 1;
        await each(done);
      }
    } finally {
      await client.end();
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, writer));
}

/** Waits until each row has been seen as the table has it. */
async function everything({ stack }: Ground, name: string, reader: Reader): Promise<void> {
  const { rows } = await stack.database.client.query<{ total: string }>(
    `SELECT sum(n) AS total FROM ${name}`,
  );
  await reader.count(Number(rows[0]?.total));
  await stack.database.client.query(`DELETE FROM ${name} WHERE id = 1`);
  await reader.until(() => reader.changes.at(-1)?.operation === "DELETE");
  expect(reader.changes.length).toBe(Number(rows[0]?.total) + 1);
}

/** The rows whose changes are not 1, 2, 3, … */
function brokenRows(reader: Reader, name: string): string[] {
  const seen = new Map<unknown, number>();
  const broken: string[] = [];
  for (const { table, operation, data } of reader.changes) {
    if (table !== name || operation !== "UPDATE") continue;
    const expected = (seen.get(data?.["id"]) ?? 0) + 1;
    seen.set(data?.["id"], expected);
    if (data?.["n"] !== expected || data["note"] !== null)
      broken.push(`row ${String(data?.["id"])}: ${String(data?.["n"])} where ${expected} should be`);
  }
  return broken;
}
