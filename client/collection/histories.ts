/** For tests: random histories of a small table, and what it holds at every moment of them. */
import * as fc from "fast-check";
import type { Change } from "../../protocol/change.ts";

export interface Item {
  readonly id: number;
  readonly v: number;
}

let seq = 0;
export function change(
  xid: number,
  operation: Change["operation"],
  data: Item | null,
  rest: Partial<Change> = {},
): Change {
  const key = data && { id: data.id };
  const about = { table: "items", old: null, timestamp: "", seq: ++seq };
  return { ...about, xid: String(xid), operation, key, data: data && { ...data }, ...rest };
}

/** The model: every change applied, in order. */
export function rowsAfter(changes: readonly Change[]): Iterable<Item> {
  const rows = new Map<number, Item>();
  for (const { operation, data } of changes) {
    const row = data as Item | null;
    if (operation === "TRUNCATE") rows.clear();
    else if (row && operation === "DELETE") rows.delete(row.id);
    else if (row) rows.set(row.id, row);
  }
  return rows.values();
}

/** What a snapshot would be and show, and how much of the stream has been committed. */
export interface Moment {
  readonly snapshot: string;
  readonly rows: readonly Item[];
  readonly told: number;
}

/**
 * A random history: transactions that begin and end in any order, each writing rows that no open one has written. The
 * stream carries what has been committed in the order of the commits, which is not that of the transaction ids.
 */
export const histories = fc
  .array(fc.record({ xid: fc.nat(5), id: fc.nat(3), kind: fc.nat(9), v: fc.nat(99), end: fc.boolean() }), {
    maxLength: 40,
  })
  .map((writes) => {
    let nextXid = 10;
    const running = new Map<number, number>();
    const locks = new Map<number, number>();
    const mine = new Map<number, Change[]>();
    const moments: Moment[] = [];
    const told: Change[] = [];
    const moment = () => {
      const open = [...running.values()].toSorted((a, b) => a - b);
      const snapshot = `${open[0] ?? nextXid}:${nextXid}:${open.join(",")}`;
      moments.push({ snapshot, rows: [...rowsAfter(told)], told: told.length });
    };
    const commit = (slot: number) => {
      const xid = running.get(slot);
      if (xid === undefined) return;
      running.delete(slot);
      for (const [id, holder] of locks) if (holder === slot) locks.delete(id);
      told.push(...(mine.get(slot) ?? []));
      mine.delete(slot);
      moment();
    };
    moment();
    for (const { xid: slot, id, kind, v, end } of writes) {
      if (locks.has(id) && locks.get(id) !== slot) continue;
      // TRUNCATE locks the whole table.
      if (kind === 9 && [...locks.values()].some((holder) => holder !== slot)) continue;
      if (!running.has(slot)) running.set(slot, nextXid++);
      const xid = running.get(slot) ?? 0;
      if (kind === 9) for (let each = 0; each < 4; each++) locks.set(each, slot);
      locks.set(id, slot);
      const list = mine.get(slot) ?? [];
      mine.set(slot, list);
      if (kind === 9) list.push(change(xid, "TRUNCATE", null));
      else list.push(change(xid, kind < 3 ? "DELETE" : kind < 6 ? "INSERT" : "UPDATE", { id, v }));
      moment();
      if (end) commit(slot);
    }
    for (const slot of running.keys()) commit(slot);
    return { moments, told };
  });
