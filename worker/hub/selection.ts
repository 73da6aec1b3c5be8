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
