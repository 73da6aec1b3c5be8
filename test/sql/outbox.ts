/** What the tests of sql/ share: a database to write to, and the outbox read as the listener reads it. */
import { parseExact } from "../../protocol/exact-json.ts";
import { OutboxChange } from "../../protocol/ingest.ts";
import type { Client, QueryResultRow } from "pg";
import * as v from "valibot";
import { connect, createDatabase, type TestDatabase } from "../support/postgres.ts";

export interface Page {
  readonly changes: OutboxChange[];
  readonly count: number;
  readonly cursor: string;
  readonly more: boolean;
  /** The length of the JSON text in bytes. */
  readonly bytes: number;
}

const ReadRow = v.object({
  changes: v.string(),
  count: v.number(),
  next_cursor: v.string(),
  more: v.boolean(),
});

/** One call of rowcast.read, its answer checked against the wire's schema. */
export async function read(
  client: Client,
  cursor: string | null,
  maxChanges = 500,
  maxBytes = 1_000_000,
): Promise<Page> {
  const result = await client.query("SELECT * FROM rowcast.read($1, $2, $3)", [cursor, maxChanges, maxBytes]);
  const row = v.parse(v.tuple([ReadRow]), result.rows)[0];
  const changes = v.parse(v.array(OutboxChange), parseExact(row.changes));
  return {
    changes,
    count: row.count,
    cursor: row.next_cursor,
    more: row.more,
    bytes: Buffer.byteLength(row.changes),
  };
}

/** A database whose outbox is read from the present on. */
export class Outbox {
  readonly database: TestDatabase;
  cursor: string;

  constructor(database: TestDatabase, cursor: string) {
    this.database = database;
    this.cursor = cursor;
  }

  static async open(): Promise<Outbox> {
    const database = await createDatabase();
    await database.client.query("SET search_path = public");
    return new Outbox(database, (await read(database.client, null)).cursor);
  }

  /** Another session on the same database. */
  async connect(): Promise<Client> {
    const client = await connect(this.database.url);
    await client.query("SET search_path = public");
    return client;
  }

  async sql<Row extends QueryResultRow = QueryResultRow>(
    text: string,
    params: unknown[] = [],
  ): Promise<Row[]> {
    const result = await this.database.client.query<Row>(text, params);
    return result.rows;
  }

  /** Everything new since the last call, in pages. */
  async next(maxChanges = 500, maxBytes = 1_000_000): Promise<OutboxChange[]> {
    const changes: OutboxChange[] = [];
    for (;;) {
      const page = await read(this.database.client, this.cursor, maxChanges, maxBytes);
      changes.push(...page.changes);
      this.cursor = page.cursor;
      if (!page.more) return changes;
    }
  }

  /** What `statements` put into the outbox, in short: `INSERT t {"id":1}`. */
  async told(statements: string): Promise<string[]> {
    await this.next();
    await this.sql(statements);
    return (await this.next()).map(brief);
  }
}

/** `UPDATE orders {"id":1}` */
export function brief(change: OutboxChange): string {
  return [change.operation, change.table, change.key === null ? "" : JSON.stringify(change.key)]
    .join(" ")
    .trim();
}

/** The message and SQLSTATE of the error that a statement fails with. */
export async function failure(
  promise: Promise<unknown>,
): Promise<{ code: string; message: string; hint: string }> {
  try {
    await promise;
  } catch (error) {
    const { code = "", message, hint = "" } = error as Error & { code?: string; hint?: string };
    return { code, message, hint };
  }
  throw new Error("the statement succeeded");
}
