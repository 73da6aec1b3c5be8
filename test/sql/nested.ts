/** A table whose triggers write to it themselves, and its changes replayed: what the tests of nested statements share. */
import { expect } from "vitest";
import { brief, Outbox } from "./outbox.ts";
import { Replay } from "./replay.ts";

/** A trigger that runs `body` when `event` happens to a row of `on`; `level` may be `STATEMENT`. */
export function reaction(
  event: string,
  body: string,
  { on = "t", level = "ROW", name = "react" } = {},
): string {
  return `CREATE OR REPLACE FUNCTION public.${name}() RETURNS trigger LANGUAGE plpgsql AS $f$
      BEGIN ${body}; RETURN ${event.startsWith("BEFORE") && level === "ROW" ? "NEW" : "NULL"}; END $f$;
    CREATE TRIGGER ${name} ${event} ON ${on} FOR EACH ${level} EXECUTE FUNCTION public.${name}();`;
}

export const TABLE = `CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0, s text); SELECT rowcast.watch('t');`;

/** An outbox with a watched table `t (id, n, s)`, new for each test. */
export class NestedOutbox extends Outbox {
  static override async open(): Promise<NestedOutbox> {
    const { database, cursor } = await Outbox.open();
    return new NestedOutbox(database, cursor);
  }

  /** For afterEach: takes `t`, `note` and the function of the trigger away. */
  async clear(): Promise<void> {
    await this.sql(`ROLLBACK; SET client_min_messages = warning;
      DROP TABLE IF EXISTS t, note CASCADE; DROP FUNCTION IF EXISTS react CASCADE`);
  }

  /**
   * Runs `statements` on a table `t` that `prepare` gave triggers and rows, and expects the replay of its changes to be
   * the table. Returns what was told meanwhile, in short.
   */
  async written(prepare: string, statements: string | (() => Promise<unknown>)): Promise<string[]> {
    await this.sql(TABLE + prepare);
    const replay = new Replay().apply(await this.next());
    if (typeof statements === "string") await this.sql(statements);
    else await statements();
    const changes = await this.next();
    await this.expectFit(replay.apply(changes.filter(({ table }) => table === "t")));
    return changes.map(brief);
  }

  /** The replay is the table, and every change fitted. */
  async expectFit(replay: Replay, table = "t"): Promise<void> {
    expect(replay.misfits).toEqual([]);
    const rows = await this.sql<{ row: { id: number } }>(
      `SELECT rowcast.row_json(t.*) AS row FROM ${table} t ORDER BY id`,
    );
    expect(replay.table.toSorted((a, b) => Number(a["id"]) - Number(b["id"]))).toEqual(
      rows.map(({ row }) => row),
    );
  }
}
