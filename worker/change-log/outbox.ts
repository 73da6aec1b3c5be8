/** The outbox as the Worker sees it: how its changes become the text that clients get, and reading it without a listener. */
import * as v from "valibot";
import { parseExact } from "../../protocol/exact-json.ts";
import { OutboxChange, type LastChange, type LogState } from "../../protocol/ingest.ts";
import type { Database } from "../database/database.ts";
import type { Delivery } from "./history.ts";

/** The text of a change without its number, which the log puts in front, and without the outbox's own id. */
export function encodeChange(change: OutboxChange): string {
  const { xid, table, operation, key, data, old, timestamp, truncated } = change;
  return JSON.stringify({ xid, table, operation, key, data, old, timestamp, truncated });
}

/** What proves later that the source's history is still the same: the last change of a batch. */
export function lastOf(changes: readonly OutboxChange[]): LastChange | null {
  const last = changes.at(-1);
  return last === undefined ? null : { id: last.id, xid: last.xid, timestamp: last.timestamp };
}

const MAX_CHANGES = 500;
const MAX_BYTES = 1_000_000;

/**
 * One step of what the listener does, for when there is none: reads the outbox from where the log stands.
 *
 * @returns a delivery for `History.append`, and whether more waits behind it.
 * @throws what the database throws; nothing has been changed then.
 */
async function readOutbox(
  database: Database,
  { cursor, last }: Pick<LogState, "cursor" | "last">,
  source: string | null,
): Promise<{ delivery: Delivery; more: boolean }> {
  const [found] = await database.query<{ source: string; broken: string | null }>(
    `SELECT rowcast.source() AS source,
            rowcast.check_history($1::text, $2::text, $3::bigint, $4::xid8, $5::timestamptz) AS broken`,
    [source, cursor, last?.id ?? null, last?.xid ?? null, last?.timestamp ?? null],
  );
  if (found === undefined) throw new Error("rowcast.check_history gave no row");
  const broken = cursor === null ? null : found.broken;
  const from = cursor === null || broken !== null ? null : cursor;
  const [page] = await database.query<{
    changes: string;
    next_cursor: string;
    more: boolean;
    read_at: string;
  }>(
    `SELECT changes, next_cursor, more,
            to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS read_at
       FROM rowcast.read($1::text, $2::int, $3::int)`,
    [from, MAX_CHANGES, MAX_BYTES],
  );
  if (page === undefined) throw new Error("rowcast.read gave no row");
  const changes = v.parse(v.array(OutboxChange), parseExact(page.changes));
  return {
    delivery: {
      source: found.source,
      from: cursor,
      to: page.next_cursor,
      changes: changes.map(encodeChange),
      last: lastOf(changes),
      readAt: page.read_at,
      restart: broken ?? undefined,
    },
    more: page.more,
  };
}

/** Read in one go, so that an alarm ends. */
const MAX_PAGES = 50;

/**
 * What a listener would do: reads pages from where the log stands and stores them, until nothing is left, or a listener
 * was faster and has taken over.
 *
 * @param store false when the log stands elsewhere by now.
 */
export async function readPages(
  database: Database,
  state: () => LogState,
  store: (delivery: Delivery) => boolean,
): Promise<void> {
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const { cursor, last, source } = state();
    const { delivery, more } = await readOutbox(database, { cursor, last }, source);
    if (!store(delivery) || !more) return;
  }
}
