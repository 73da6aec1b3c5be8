/** What a client has that applies the changes one by one, told where a change does not continue the one before it. */
import { isDeepStrictEqual } from "node:util";
import type { OutboxChange } from "../../protocol/ingest.ts";

type Row = Readonly<Record<string, unknown>>;

export class Replay {
  /** The rows of one table by their keys. */
  readonly rows = new Map<string, Row>();
  /** Each change that did not fit what was there before it. */
  readonly misfits: string[] = [];

  apply(changes: readonly OutboxChange[]): this {
    for (const change of changes) this.#apply(change);
    return this;
  }

  /** The rows in the order of their keys' text. */
  get table(): Row[] {
    return [...this.rows].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  }

  #apply({ id, operation, key, data, old }: OutboxChange): void {
    if (operation === "TRUNCATE") return this.rows.clear();
    const name = JSON.stringify(key);
    const present = this.rows.get(name);
    const before = operation === "INSERT" ? undefined : { ...data, ...old };
    if (!isDeepStrictEqual(present, before)) {
      this.misfits.push(
        `${id} ${operation} of ${JSON.stringify(before)} found ${JSON.stringify(present)} at ${name}`,
      );
    }
    if (operation === "DELETE" || data === null) this.rows.delete(name);
    else this.rows.set(name, data);
  }
}
