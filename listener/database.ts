/**
 * One connection to Postgres, from LISTEN to its loss. It owns its socket, so that a half-open connection, on which
 * nothing ever comes back, can be dropped without asking the other side. A lost one is not mended: open the next.
 */
import { once } from "node:events";
import { Socket } from "node:net";
import type { LastChange } from "../protocol/ingest.ts";
import { adviseOnTls, connectionOptions } from "../protocol/postgres-url.ts";
import { Client } from "pg";
import type { QueryResultRow } from "pg";
import { requireBinding } from "./binding.ts";

/** A Neon compute that sleeps needs a while to wake. */
const CONNECT_TIMEOUT_MS = 15_000;
/** A working LISTEN hears its own NOTIFY within milliseconds. */
const SELF_TEST_MS = 5_000;
const READ = `SELECT changes, count, next_cursor, more,
    to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS read_at
  FROM rowcast.read($1, $2, $3)`;
const CHANNEL = "rowcast_changes";
/** The payload that says that the doorbell is silent from now on (sql/009_doorbell.sql). */
const SILENT = "silent";

/** The connection is gone, or was given up: nothing more can be asked of it. */
export class ConnectionLost extends Error {
  readonly code = "CONNECTION_LOST";
  override readonly name = "ConnectionLost";
}

/** One answer of `rowcast.read`. */
export interface Page {
  /** A JSON array of `OutboxChange`, left as text: numbers keep every digit, and nothing is copied. */
  readonly changes: string;
  readonly count: number;
  readonly next_cursor: string;
  /** More waits behind `next_cursor`. */
  readonly more: boolean;
  /** When this was read, by the database's clock, in the form of a change's timestamp. */
  readonly read_at: string;
}

export interface Database {
  /** Aborts with the reason once the connection is lost. */
  readonly lost: AbortSignal;
  /** False when our own NOTIFY was not heard: then only the keepalive finds changes. */
  readonly hears: boolean;
  /** The changes after `cursor`, in pages bounded in rows and bytes; null: none, and a cursor that means "from now". */
  read(cursor: string | null, maxChanges: number, maxBytes: number): Promise<Page>;
  /** The identity of this database's history. */
  source(): Promise<string>;
  /** Why the history that the ChangeLog followed is not this one; null when it is. */
  checkHistory(source: string | null, cursor: string, last: LastChange | null): Promise<string | null>;
  /** Deletes at most one batch of delivered changes older than `retentionMs`, never the last one; returns how many. */
  prune(cursor: string, last: LastChange | null, retentionMs: number, maxRows: number): Promise<number>;
  /** How many rows the outbox has at most, and the age of the oldest in ms; null when it is empty. */
  outboxSize(): Promise<{ rows: number; oldestAgeMs: number | null }>;
  /** Tries to keep the doorbell silent from now on; false when another session does, or somebody is just ringing. */
  silence(): Promise<boolean>;
  /** Lets it ring again: `freshTransaction` of a moment after that. */
  unsilence(): Promise<string>;
  /** Whether another session keeps it silent. */
  isSilent(): Promise<boolean>;
  /** Whether another session has silenced it since this was last asked. */
  heardSilence(): boolean;
  /**
   * A transaction id given out now, as decimal text: whoever had one before has a smaller one. (A snapshot's xmax would
   * not do: it is one past the last transaction that has *ended*, and those at work may be beyond it.)
   */
  freshTransaction(): Promise<string>;
  /** Whether every transaction before this id has ended. */
  hasPassed(xid: string): Promise<boolean>;
  /** Cuts the connection. */
  close(): void;
}

export interface ConnectOptions {
  /** A Postgres URL for the direct connection. */
  readonly url: string;
  /** A query without an answer for so long means that the connection is dead. */
  readonly answerTimeoutMs: number;
  /** The doorbell: called at every notification. */
  readonly onRing: () => void;
  /** Gives up connecting, and drops the connection later. */
  readonly signal: AbortSignal;
}

/**
 * Connects and LISTENs. Whoever reads after this cannot miss a change: it is either in that read or rings after it.
 *
 * @throws {ConnectionLost} when the server cannot be reached, does not answer in time, or the signal aborts.
 * @throws {Error} pg's, when the server refuses.
 */
export async function connect({ url, answerTimeoutMs, onRing, signal }: ConnectOptions): Promise<Database> {
  signal.throwIfAborted();
  const socket = new Socket();
  const options = connectionOptions(url);
  const client = new Client({
    ...options,
    application_name: "rowcast listener",
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    stream: () => socket,
  });
  const checkBinding = options.enableChannelBinding && requireBinding(client);

  const loss = new AbortController();
  // pg tells of one loss up to three times (error, error, end); the first knows why, and aborting again does nothing.
  const lose = (reason: string, cause?: unknown): void => {
    loss.abort(new ConnectionLost(reason, { cause }));
    socket.destroy();
  };
  const onStop = (): void => lose("the listener stops");
  signal.addEventListener("abort", onStop, { once: true });
  loss.signal.addEventListener("abort", () => signal.removeEventListener("abort", onStop), { once: true });
  client.on("error", (error) => lose(describe(error), error));
  client.on("end", () => lose("the connection was closed"));
  let heard = false;
  let silenced = false;
  let ownPid: number | null = null;
  client.on("notification", ({ channel, payload, processId }) => {
    if (channel !== CHANNEL) return;
    heard = true;
    if (payload === SILENT) {
      if (processId === ownPid) return;
      silenced = true;
    }
    onRing();
  });

  /** Runs `work`, for which an answer must come in `ms`; after a loss every failure is that loss. */
  async function within<T>(ms: number, work: () => Promise<T>): Promise<T> {
    loss.signal.throwIfAborted();
    const timer = setTimeout(() => lose(`no answer in ${ms} ms`), ms);
    try {
      return await work();
    } catch (error) {
      loss.signal.throwIfAborted();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
  async function ask<R extends QueryResultRow>(text: string, values: unknown[] = []): Promise<R> {
    const { rows } = await within(answerTimeoutMs, () => client.query<R>(text, values));
    const [row] = rows;
    if (!row) throw new Error(`no row came back: ${text}`);
    return row;
  }

  try {
    await within(CONNECT_TIMEOUT_MS, () => client.connect());
    if (checkBinding) checkBinding();
    await within(answerTimeoutMs, () => client.query(`LISTEN ${CHANNEL}`));
    // A pooler between us and Postgres accepts LISTEN and delivers nothing, with no error: only trying shows it.
    const { pid } = await ask<{ pid: number }>("SELECT pg_backend_pid() AS pid, pg_notify($1, '')", [
      CHANNEL,
    ]);
    ownPid = pid;
    if (!heard) {
      const patience = AbortSignal.any([AbortSignal.timeout(SELF_TEST_MS), loss.signal]);
      await once(client, "notification", { signal: patience }).catch(() => {}); // Told by `hears`, or by the loss.
    }
    loss.signal.throwIfAborted();
  } catch (error) {
    lose(error instanceof Error ? describe(error) : String(error), error);
    throw error;
  }

  async function freshTransaction(): Promise<string> {
    const { xid } = await ask<{ xid: string }>("SELECT pg_current_xact_id()::text AS xid");
    return xid;
  }

  return {
    lost: loss.signal,
    hears: heard,
    read: (cursor, maxChanges, maxBytes) => ask<Page & QueryResultRow>(READ, [cursor, maxChanges, maxBytes]),
    async source() {
      return (await ask<{ source: string }>("SELECT rowcast.source() AS source")).source;
    },
    async checkHistory(source, cursor, last) {
      const { reason } = await ask<{ reason: string | null }>(
        "SELECT rowcast.check_history($1, $2, $3::bigint, $4::xid8, $5::timestamptz) AS reason",
        [source, cursor, last?.id, last?.xid, last?.timestamp],
      );
      return reason;
    },
    async prune(cursor, last, retentionMs, maxRows) {
      const { pruned } = await ask<{ pruned: number }>(
        "SELECT rowcast.prune($1, $2::bigint, make_interval(secs => $3::float8 / 1000), $4) AS pruned",
        [cursor, last?.id, retentionMs, maxRows],
      );
      return pruned;
    },
    async outboxSize() {
      const { rows, age } = await ask<{ rows: string; age: number | null }>(
        "SELECT rows, extract(epoch FROM clock_timestamp() - oldest_at)::float8 * 1000 AS age FROM rowcast.outbox_size()",
      );
      return { rows: Number(rows), oldestAgeMs: age };
    },
    async silence() {
      return (await ask<{ taken: boolean }>("SELECT rowcast.silence() AS taken")).taken;
    },
    async unsilence() {
      await ask("SELECT pg_advisory_unlock(rowcast.doorbell_lock())");
      return freshTransaction(); // a statement of its own: its snapshot is younger than the release
    },
    async isSilent() {
      return (await ask<{ silent: boolean }>("SELECT rowcast.is_silent() AS silent")).silent;
    },
    heardSilence() {
      const answer = silenced;
      silenced = false;
      return answer;
    },
    freshTransaction,
    async hasPassed(xid) {
      const { passed } = await ask<{ passed: boolean }>(
        "SELECT pg_snapshot_xmin(pg_current_snapshot()) >= $1::xid8 AS passed",
        [xid],
      );
      return passed;
    },
    close: () => lose("closed by us"),
  };
}

/** Such as `57P01 terminating connection due to administrator command`, with what to do where that is known. */
export function describe(error: Error & { code?: unknown }): string {
  const code = typeof error.code === "string" && SQLSTATE.test(error.code) ? error.code : null;
  // Node's error for a host with several addresses has no message of its own.
  const message = error.message === "" ? "cannot be reached" : error.message;
  const text = code === null ? message : `${code} ${message}`;
  const fix = code === null ? adviseOnTls(error) : FIXES[code];
  return fix === undefined || fix === null ? text : `${text}: ${fix}`;
}

const SQLSTATE = /^[0-9A-Z]{5}$/;
const NOT_MIGRATED = "is the schema rowcast there? `npm run migrate` makes it";
const FIXES: Readonly<Record<string, string>> = {
  "3F000": NOT_MIGRATED,
  "42883": NOT_MIGRATED,
  "42P01": NOT_MIGRATED,
  "28P01": "check the password in DATABASE_URL",
  "3D000": "check the database name in DATABASE_URL",
};
