/**
 * Folding: several changes of one row become its last, for a client that is behind and allows it (`fold=1`). What it ends
 * with is the same; what it does not see is what the row went through meanwhile. Memory is that of the rows, not of the
 * changes, so a reader that is slower than the writers for ever still arrives.
 */
import type { Change, Row } from "../../protocol/change.ts";
import { parseExact } from "../../protocol/exact-json.ts";
import { changePasses, type Filter } from "../../protocol/filter.ts";
import { SEPARATOR } from "../change-log/history.ts";
import { pinned, type Entry, type Selection } from "./selection.ts";

export class Folding {
  /** In the order of the last change of each row, so that a stream cut off between two of them can go on from there. */
  readonly #rows = new Map<string, Entry>();
  readonly #pin: Filter | null;
  #chars = 0;

  /** @param pin what of the changes exists for the client: it is applied before any are folded together. */
  constructor(pin: Filter | null = null) {
    this.#pin = pin;
  }

  /** How much text there is to send, before filters. */
  get chars(): number {
    return this.#chars;
  }

  /** How many rows they are. */
  get rows(): number {
    return this.#rows.size;
  }

  /** Takes in the changes of a batch, which follow those before. */
  add(batchText: string): void {
    for (const text of batchText.split(SEPARATOR)) {
      if (text === "") continue;
      // The log wrote these texts from validated changes; they are not checked a second time.
      const entry = { text, change: parseExact(text) as Change };
      for (const seen of this.#pin === null ? [entry] : pinned(this.#pin, entry)) this.#addOne(seen);
    }
  }

  select(filter: Filter | null): Selection {
    const passing = [...this.#rows.values()].filter(({ change }) => changePasses(filter, change));
    return { text: passing.map(({ text }) => text).join(SEPARATOR), count: passing.length };
  }

  #addOne({ change, text }: Entry): void {
    if (change.operation === "TRUNCATE") this.#truncate(change, text);
    else this.#put(`${change.table}\n${JSON.stringify(change.key)}`, change, text);
  }

  #put(key: string, change: Change, text: string): void {
    const before = this.#take(key);
    if (before === null) this.#set(key, { change, text });
    else {
      const folded = fold(before.change, change);
      this.#set(key, { change: folded, text: JSON.stringify(folded) });
    }
  }

  /** Nothing of the table from before matters any more. */
  #truncate(change: Change, text: string): void {
    let gone = 0;
    for (const [key, { change: before }] of this.#rows) {
      if (before.table !== change.table) continue;
      gone += 1 + (before.folded ?? 0);
      this.#take(key);
    }
    const key = `${change.table}\n`;
    if (gone === 0) this.#set(key, { change, text });
    else {
      const folded = { ...change, folded: gone };
      this.#set(key, { change: folded, text: JSON.stringify(folded) });
    }
  }

  #take(key: string): Entry | null {
    const entry = this.#rows.get(key);
    if (entry === undefined) return null;
    this.#rows.delete(key);
    this.#chars -= entry.text.length;
    return entry;
  }

  #set(key: string, entry: Entry): void {
    this.#rows.set(key, entry);
    this.#chars += entry.text.length;
  }
}

/**
 * What two changes of one row, the second right after the first, come to. `old` reaches back to before the first, so
 * that a row which left a filter is still seen leaving.
 */
export function fold(first: Change, second: Change): Change {
  const folded = (first.folded ?? 0) + (second.folded ?? 0) + 1;
  return { ...second, operation: netOperation(first, second), old: netOld(first, second), folded };
}

function netOperation(first: Change, second: Change): Change["operation"] {
  if (second.operation === "DELETE") return "DELETE";
  return first.operation === "INSERT" ? "INSERT" : "UPDATE";
}

function netOld(first: Change, second: Change): Row | null {
  if (first.operation === "INSERT") return null;
  // The row as it was before both: all of it when the first deleted it, otherwise what either changed.
  const before = first.operation === "DELETE" ? first.data : { ...second.old, ...first.old };
  if (before === null || second.data === null) return before;
  const now = second.data;
  const changed = Object.entries(before).filter(
    ([column, value]) => JSON.stringify(value) !== JSON.stringify(now[column]),
  );
  return second.operation === "DELETE" || changed.length > 0 ? Object.fromEntries(changed) : null;
}
