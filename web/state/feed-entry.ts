/** An entry of the feed, and which of them are shown. Pure. */
import type { Change, Operation } from "../../protocol/change.ts";
import { describeChange, type Description } from "./describe.ts";

export interface FeedEntry {
  /** Grows with each. */
  readonly id: number;
  readonly change: Change;
  /** How many were watching when it came; null when that was not known. */
  readonly watching: number | null;
  /** In words: made when first asked for, since in a burst most entries are never looked at. */
  readonly words: Description;
  /** The words in lower case, to be searched. */
  readonly text: string;
}

let nextId = 1;

export function toEntry(change: Change, watching: number | null): FeedEntry {
  let words: Description | undefined;
  let text: string | undefined;
  return {
    id: nextId++,
    change,
    watching,
    get words() {
      return (words ??= describeChange(change));
    },
    get text() {
      return (text ??= textOf(this.words));
    },
  };
}

/** What passes: one operation or all, a text in what is shown of it, of orders or of every table. */
export function passesFeed(
  operation: Operation | null,
  text: string,
  allTables: boolean,
): (entry: FeedEntry) => boolean {
  const part = text.trim().toLowerCase();
  return (entry) =>
    (allTables || entry.change.table === "orders") &&
    (operation === null || entry.change.operation === operation) &&
    (part === "" || entry.text.includes(part));
}

function textOf({ subject, name, fields }: Description): string {
  return [subject, name, ...fields.map(({ field, from, to }) => `${field} ${from ?? ""} ${to}`)]
    .join("\n")
    .toLowerCase();
}
