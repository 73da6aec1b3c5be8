/**
 * A Postgres snapshot (`pg_current_snapshot()::text`, `xmin:xmax:xip,xip…`) and the one question asked of it: had this
 * transaction ended when the snapshot was taken? The same rule as `pg_visible_in_snapshot`.
 * https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT
 */

export interface Snapshot {
  /** Every transaction below it had ended. */
  readonly xmin: bigint;
  /** No transaction from it on had ended. */
  readonly xmax: bigint;
  /** Those between the two that were still running. */
  readonly running: ReadonlySet<bigint>;
}

const PATTERN = /^([0-9]{1,20}):([0-9]{1,20}):((?:[0-9]{1,20}(?:,[0-9]{1,20})*)?)$/;

/** @throws {TypeError} when the text is not a snapshot. */
export function parseSnapshot(text: string): Snapshot {
  const match = PATTERN.exec(text);
  if (!match) throw new TypeError(`not a Postgres snapshot: ${JSON.stringify(text.slice(0, 80))}`);
  const [, xmin = "", xmax = "", list = ""] = match;
  return {
    xmin: BigInt(xmin),
    xmax: BigInt(xmax),
    running: new Set(list === "" ? [] : list.split(",").map(BigInt)),
  };
}

/** Whether what transaction `xid` did was part of the snapshot (when it committed). */
export function isVisible(xid: string, snapshot: Snapshot): boolean {
  const id = BigInt(xid);
  if (id < snapshot.xmin) return true;
  return id < snapshot.xmax && !snapshot.running.has(id);
}
