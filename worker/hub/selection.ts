/**
 * What of a batch a client is sent. A batch is parsed once, and selected from once for each distinct filter, however
 * many clients share it; the text of the changes is passed on as it came.
 */
import type { Change } from "../../protocol/change.ts";
import { parseExact } from "../../protocol/exact-json.ts";
import { changePasses, type Filter } from "../../protocol/filter.ts";
import { SEPARATOR, type Batch } from "../change-log/history.ts";

export interface Selection {
  readonly text: string;
  readonly count: number;
}

/**
 * Cuts selected changes into pieces of at most `maxChars`, or of one change. `last` is the number up to which a client
 * is told everything with a piece: that of its last change, for the last piece `to`.
 */
export function* inPieces(
  text: string,
  maxChars: number,
  to: number,
): Generator<Selection & { readonly last: number }> {
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

export class Selector {
  readonly #batch: Batch;
  readonly #byFilter = new Map<string, Selection>();
  #parsed: { text: string; change: Change }[] | null = null;

  constructor(batch: Batch) {
    this.#batch = batch;
  }

  /** @param key the same for the same filter: its JSON. */
  select(filter: Filter | null, key: string): Selection {
    const { text, from, to } = this.#batch;
    if (filter === null) return { text, count: to - from };
    const known = this.#byFilter.get(key);
    if (known !== undefined) return known;
    const passing = this.#changes().filter(({ change }) => changePasses(filter, change));
    const selection = { text: passing.map((entry) => entry.text).join(SEPARATOR), count: passing.length };
    this.#byFilter.set(key, selection);
    return selection;
  }

  #changes(): { text: string; change: Change }[] {
    // The log wrote these texts from validated changes; they are not checked a second time.
    this.#parsed ??= this.#batch.text
      .split(SEPARATOR)
      .filter((text) => text !== "")
      .map((text) => ({ text, change: parseExact(text) as Change }));
    return this.#parsed;
  }
}
