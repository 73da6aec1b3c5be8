/** The part of the contract about readers that come back with a position: one that history reaches, or not. */
import { describe, expect, it } from "vitest";
import { formatPosition, parsePosition } from "../../protocol/position.ts";
import type { Ground } from "./contract.ts";
import { makeTable, pick } from "./tables.ts";

export function describeAbsence(ground: Ground): void {
  const open: Ground["open"] = (options) => ground.open(options);
  const sql = (text: string) => ground.stack.database.client.query(text);
  const table = (columns?: string) => makeTable(ground.stack.database.client, columns);

  describe("a reader that was away", () => {
    it("gets what it missed, once, and goes on live", async () => {
      const { name } = await table();
      const before = await open();
      await sql(`INSERT INTO ${name} SELECT i, 'seen' FROM generate_series(1, 3) i`);
      await before.count(3);
      before.close();
      const since = before.position;
      await sql(`UPDATE ${name} SET value = 'missed'`);
      await sql(`DELETE FROM ${name} WHERE id = 2`);
      const after = await open({ since });
      await after.count(4);
      await sql(`INSERT INTO ${name} VALUES (9, 'live')`);
      await after.count(5);
      expect(pick(after.changes, "operation", "key")).toEqual([
        ["UPDATE", { id: 1 }],
        ["UPDATE", { id: 2 }],
        ["UPDATE", { id: 3 }],
        ["DELETE", { id: 2 }],
        ["INSERT", { id: 9 }],
      ]);
      expect(after.fault(since)).toBeNull();
    });

    it("may go on from any change, in the middle of a statement too", async () => {
      const { name } = await table();
      const before = await open();
      await sql(`INSERT INTO ${name} SELECT i, 'x' FROM generate_series(1, 1200) i`);
      await before.count(1200);
      const { epoch } = parsePosition(before.position) ?? { epoch: "" };
      const since = formatPosition({ epoch, seq: before.changes[611]?.seq ?? 0 });
      const after = await open({ since });
      await after.count(588);
      expect(after.changes).toEqual(before.changes.slice(612));
      expect(after.fault(since)).toBeNull();
    });

    it("is told when history no longer reaches back, and goes on from now", async () => {
      const { name } = await table("id int PRIMARY KEY");
      const watcher = await open();
      await sql(`INSERT INTO ${name} VALUES (0)`);
      await watcher.count(1);
      const since = watcher.position;
      await sql(`INSERT INTO ${name} SELECT i FROM generate_series(1, 24_000) i`);
      await watcher.count(24_001);
      await ground.stack.evictHub("hibernate"); // what it still has in memory would do
      const reader = await open({ since });
      await reader.until(() => reader.resets.length > 0);
      expect(reader.resets).toEqual([{ reason: "expired", position: watcher.position }]);
      await sql(`DELETE FROM ${name} WHERE id = 0`);
      await reader.count(1);
      expect(pick(reader.changes, "operation", "key")).toEqual([["DELETE", { id: 0 }]]);
      expect(reader.fault(reader.resets[0]?.position ?? "")).toBeNull();
    });

    it.each([
      ["another history", "epoch", () => "elsewhere.4"],
      ["the future", "future", (position: string) => `${position}000`],
    ])("is told when its position is from %s", async (_, reason, since) => {
      const { name } = await table();
      await sql(`INSERT INTO ${name} VALUES (1, 'a')`);
      const now = await open();
      const reader = await open({ since: since(now.position) });
      await reader.until(() => reader.resets.length > 0);
      expect(reader.resets[0]?.reason).toBe(reason);
      await sql(`UPDATE ${name} SET value = 'b'`);
      await reader.until(() =>
        reader.changes.some(({ table, operation }) => table === name && operation === "UPDATE"),
      );
      expect(reader.resets.length).toBe(1);
    });
  });
}
