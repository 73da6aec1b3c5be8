/**
 * Lean frames (`lean=1` in the address of a WebSocket): a change leaves out what can be told from the one before it in its
 * frame. The first of a frame only leaves out `old`; of the others
 *
 *     xid, table, operation, timestamp    are as in the change before;
 *     seq                                 is one more than there;
 *     key                                 are the columns of the last key that was given, as `data` has them;
 *     old                                 is null.
 *
 * Nothing here needs a schema, so that clients stay small.
 */
import type { Change } from "./change.ts";

/** A change as it is in a lean frame. */
export type LeanChange = Partial<Change> & Pick<Change, "data">;

/** The whole changes of a lean frame. What is whole already stays as it is. */
export function fromLean(changes: readonly LeanChange[]): Change[] {
  let before: Partial<Change> = {};
  let columns: string[] = [];
  return changes.map((change) => {
    const { key, data, ...rest } = change;
    if (key) columns = Object.keys(key);
    const whole = {
      seq: (before.seq ?? 0) + 1,
      xid: before.xid,
      table: before.table,
      operation: before.operation,
      key: key === undefined ? Object.fromEntries(columns.map((name) => [name, data?.[name]])) : key,
      data,
      old: null,
      timestamp: before.timestamp,
      ...rest,
    } as Change;
    before = whole;
    return whole;
  });
}
