/** What of a batch a client is sent: the text of the changes is passed on as it came. */
import type { Change } from "../../protocol/change.ts";
import { parseExact } from "../../protocol/exact-json.ts";
import { changePasses, type Filter } from "../../protocol/filter.ts";
import { throughPin } from "../../protocol/pin.ts";
import { SEPARATOR, type Batch } from "../change-log/history.ts";

/** What a client sees: what its token may see, and of that what it asked for. */
export interface View {
  readonly pin: Filter | null;
  readonly filter: Filter | null;
  /** The same for the same view; empty for everything. */
  readonly key: string;
}

export function viewOf(pin: Filter | null, filter: Filter | null): View {
  if (pin === null && filter === null) return EVERYTHING;
  return { pin, filter, key: JSON.stringify([pin, filter]) };
}

export const EVERYTHING: View = { pin: null, filter: null, key: "" };

export interface Selection {
  readonly text: string;
  readonly count: number;
}

/**
 * Cuts selected changes into pieces of at most `maxChars`, or of one change. `last` is the number up to which a client
 * is told everything with a piece: that of its last change, for the last piece `to`.
 */
export function* inPieces(
  { text, count }: Selection,
  maxChars: number,
  to: number,
): Generator<Selection & { readonly last: number }> {
  if (text.length <= maxChars) {
    yield { text, count, last: to };
    return;
  }
  let piece: string[] = [];
  let chars = 0;
  for (const change of text.split(SEPARATOR)) {
    if (piece.length > 0 && chars + change.length > maxChars) {
      yield { text: piece.join(SEPARATOR), count: piece.length, last: seqOf(piece.at(-1) ?? "") };
      piece = [];
      chars = 0;
    }
    piece.push(change);
    chars += change.length + SEPARATOR.length;
  }
  yield { text: piece.join(SEPARATOR), count: piece.length, last: to };
}

/** The log puts the number in front, and folding keeps it there. */
function seqOf(change: string): number {
  return Number(/^\{"seq":([0-9]+)/.exec(change)?.[1]);
}

/** A change with its text: as it came, or written anew when the pin hides some of it. */
export interface Entry {
  readonly text: string;
  readonly change: Change;
}

/** The entry as it is seen through the pin: one, or none. */
export function pinned(pin: Filter, entry: Entry): Entry[] {
  const change = throughPin(pin, entry.change);
  if (change === null) return [];
  return change === entry.change ? [entry] : [{ change, text: JSON.stringify(change) }];
}

/** The changes of a batch. The log wrote these texts from validated changes; they are not checked a second time. */
export function parseBatch({ text }: Batch): Entry[] {
  if (text === "") return [];
  return text.split(SEPARATOR).map((each) => ({ text: each, change: parseExact(each) as Change }));
}

/** What of an entry is seen through a view: one, or none. */
export function seenBy({ pin, filter }: View, entry: Entry): Entry[] {
  const seen = pin === null ? [entry] : pinned(pin, entry);
  return seen.filter(({ change }) => changePasses(filter, change));
}

/** What of a batch a view lets through. */
export function select(batch: Batch, view: View): Selection {
  if (view.key === "") return { text: batch.text, count: batch.to - batch.from };
  return joined(parseBatch(batch).flatMap((entry) => seenBy(view, entry)));
}

export function joined(entries: readonly Entry[]): Selection {
  return { text: entries.map(({ text }) => text).join(SEPARATOR), count: entries.length };
}
