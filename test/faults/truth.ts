/** What was committed, in order: the outbox, read when all is over (and before a fault that takes it away). */
import type { Change, Operation } from "../../protocol/change.ts";
import { ALL_WATCHED } from "./filters.ts";
import { identify } from "./identity.ts";

/** Changes that were committed between two snapshots may be missing from the stream: a new epoch began meanwhile. */
export interface Window {
  readonly before: string;
  readonly after: string;
}

export interface Entry {
  /** Its place among all that was ever committed. */
  readonly order: number;
  /** The same number for the same row. */
  readonly row: number;
  readonly table: number;
  readonly isTruncate: boolean;
  /** A bit for each of `ALL_WATCHED`: who is to be told. */
  readonly watchers: number;
  /** A new epoch may have begun after it. */
  readonly mayMiss: boolean;
}

const PAGE = 4_000;
/** From this size of its text on a change may travel as key only. */
const LARGE_CHARS = 50_000;

interface OutboxRow {
  readonly id: string;
  readonly xid: string;
  readonly at: string;
  readonly table: string;
  readonly operation: Operation;
  readonly key: string | null;
  readonly data: string | null;
  readonly old: string | null;
  readonly may_miss: boolean;
}

/** What is needed of a client of `pg`. */
interface Asked {
  query(text: string, values: unknown[]): Promise<{ rows: unknown[] }>;
}

export class Truth {
  readonly #byIdentity = new Map<number, number>();
  readonly #rows = new Map<string, number>();
  readonly #tables = new Map<string, number>();
  readonly #entries: Entry[] = [];
  #lastId = "0";

  get size(): number {
    return this.#entries.length;
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  find(identity: number): Entry | undefined {
    const order = this.#byIdentity.get(identity);
    return order === undefined ? undefined : this.#entries[order];
  }

  /** Reads what is new in the outbox. Nobody may be writing: an id below those read would never be seen. */
  async read(client: Asked, windows: readonly Window[]): Promise<void> {
    for (;;) {
      const { rows } = await client.query(
        `SELECT c.id, c.xid::text, c."table", c.operation, coalesce(c.key, line -> 'key')::text AS key,
                coalesce(c.data::text, line ->> 'data') AS data, coalesce(c.old::text, line ->> 'old') AS old,
                to_char(c.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at,
                EXISTS (SELECT FROM unnest($2::text[], $3::text[]) w (before, after)
                  WHERE pg_visible_in_snapshot(c.xid, after::pg_snapshot)
                    AND NOT pg_visible_in_snapshot(c.xid, before::pg_snapshot)) AS may_miss
         FROM (SELECT * FROM rowcast.changes WHERE id > $1 ORDER BY id LIMIT ${PAGE}) c
         LEFT JOIN LATERAL (SELECT ('{' || l || '}')::jsonb AS line, place
           FROM string_to_table(c.bundle, E'\\n') WITH ORDINALITY AS b (l, place)) b ON true
         ORDER BY c.id, place`,
        [this.#lastId, windows.map(({ before }) => before), windows.map(({ after }) => after)],
      );
      const page = rows as OutboxRow[];
      for (const row of page) this.#add(row);
      this.#lastId = page.at(-1)?.id ?? this.#lastId;
      if (new Set(page.map(({ id }) => id)).size < PAGE) return;
    }
  }

  /** Up to which id of the outbox it has been read. */
  get lastId(): string {
    return this.#lastId;
  }

  /** The outbox goes back: after this id, others come than those that were read. */
  goBack(lastId: string): void {
    this.#lastId = lastId;
  }

  #add({ xid, at, table, operation, key, data, old, may_miss }: OutboxRow): void {
    const change = {
      xid,
      table,
      operation,
      key: JSON.parse(key ?? "null") as Change["key"],
      data: JSON.parse(data ?? "null") as Change["data"],
      old: JSON.parse(old ?? "null") as Change["old"],
      timestamp: at,
    };
    const order = this.#entries.length;
    this.#entries.push({
      order,
      row: intern(this.#rows, `${table} ${key ?? ""}`),
      table: intern(this.#tables, table),
      isTruncate: operation === "TRUNCATE",
      watchers: ALL_WATCHED.reduce((bits, each, bit) => (each.passes(change) ? bits | (1 << bit) : bits), 0),
      mayMiss: may_miss,
    });
    this.#byIdentity.set(identify(change), order);
    if ((data?.length ?? 0) + (old?.length ?? 0) >= LARGE_CHARS) {
      this.#byIdentity.set(identify({ ...change, data: null, old: null, truncated: true }), order);
    }
  }
}

function intern(names: Map<string, number>, name: string): number {
  const known = names.get(name);
  if (known !== undefined) return known;
  names.set(name, names.size);
  return names.size - 1;
}
