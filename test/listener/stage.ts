/** What most tests of the listener need: a database, a ChangeLog that is made to fail, and words for both. */
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { createDatabase, type TestDatabase } from "../support/postgres.ts";
import { startChangeLog, type ChangeLogStandIn } from "./change-log-stand-in.ts";
import { startListener, type ListenerProcess } from "./listener-process.ts";

export interface Stage {
  readonly database: TestDatabase;
  /** A new, empty log for this test. */
  openLog(): Promise<ChangeLogStandIn>;
  /** A listener between the two. */
  start(log: ChangeLogStandIn, env?: Readonly<Record<string, string>>): ListenerProcess;
  /** The same, once it has caught up: what is written from now on must arrive. */
  startReady(log: ChangeLogStandIn, env?: Readonly<Record<string, string>>): Promise<ListenerProcess>;
  /** `count` orders in a statement of their own each. */
  insert(count: number): Promise<void>;
  /** The ids of the outbox from `after` on, in order: what must have arrived. */
  outboxIds(after?: string): Promise<string[]>;
  /** The highest id in the outbox so far. */
  lastId(): Promise<string>;
}

/** A database for the test file that calls this, at its top. */
export function setStage(): Stage {
  let database: TestDatabase | null = null;
  beforeAll(async () => {
    database = await createDatabase();
  });
  afterAll(() => database?.drop());
  const stage: Stage = {
    get database() {
      if (!database) throw new Error("the database is there from beforeAll on");
      return database;
    },
    async openLog() {
      const log = await startChangeLog();
      onTestFinished(() => log.close());
      return log;
    },
    start: (log, env = {}) =>
      startListener({ DATABASE_URL: stage.database.logins.listener, WORKER_URL: log.url, ...env }),
    async startReady(log, env) {
      const listener = stage.start(log, env);
      await listener.line("caught up");
      return listener;
    },
    async insert(count) {
      for (let i = 0; i < count; i++) {
        await stage.database.client.query(
          "INSERT INTO orders (customer_name, product_name) VALUES ('Jane', $1)",
          [`Lamp ${i}`],
        );
      }
    },
    async outboxIds(after = "0") {
      const { rows } = await stage.database.client.query<{ id: string }>(
        "SELECT id FROM rowcast.changes WHERE id > $1 ORDER BY id",
        [after],
      );
      return rows.map(({ id }) => id);
    },
    async lastId() {
      const { rows } = await stage.database.client.query<{ id: string }>(
        "SELECT coalesce(max(id), 0)::text AS id FROM rowcast.changes",
      );
      return rows[0]?.id ?? "0";
    },
  };
  return stage;
}

/** The ids of what the log has stored, in its order. */
export function idsIn(log: ChangeLogStandIn): string[] {
  return log.changes.map(({ id }) => id);
}
