/** How many changes there were in each second of the last minutes, by operation. Pure: the second is passed in. */
import type { Operation } from "../../protocol/change.ts";

export const WINDOW_S = 300;

/** What a chart draws: a table that is emptied counts with what is deleted. */
export const KINDS = ["inserted", "updated", "deleted"] as const;
export type Kind = (typeof KINDS)[number];
export type PerKind<T> = Readonly<Record<Kind, T>>;

/** A form of its own for each, as colour alone does not tell everybody. */
export const SIGNS: PerKind<string> = { inserted: "+", updated: "~", deleted: "−" };

const KIND_OF: Readonly<Record<Operation, Kind>> = {
  INSERT: "inserted",
  UPDATE: "updated",
  DELETE: "deleted",
  TRUNCATE: "deleted",
};

export interface Rates {
  add(operation: Operation, second: number): void;
  /** The `seconds` up to and with `second`, the oldest first. At most WINDOW_S. */
  last(second: number, seconds: number): PerKind<number[]>;
  /** Their sums. */
  sums(second: number, seconds: number): PerKind<number>;
}

/** A ring with a slot a second; a slot of another round counts as empty until it is used again. */
export function createRates(): Rates {
  const stamps = new Float64Array(WINDOW_S).fill(-1);
  const slots = {
    inserted: new Uint32Array(WINDOW_S),
    updated: new Uint32Array(WINDOW_S),
    deleted: new Uint32Array(WINDOW_S),
  };
  const last = (second: number, seconds: number) => {
    const series = { inserted: [] as number[], updated: [] as number[], deleted: [] as number[] };
    for (let at = second - seconds + 1; at <= second; at++) {
      const slot = ((at % WINDOW_S) + WINDOW_S) % WINDOW_S;
      const isThere = stamps[slot] === at;
      for (const kind of KINDS) series[kind].push(isThere ? (slots[kind][slot] ?? 0) : 0);
    }
    return series;
  };
  return {
    add(operation, second) {
      const slot = second % WINDOW_S;
      if (stamps[slot] !== second) {
        // a clock that was set back may come upon a slot of its future: what was there is of no more use
        stamps[slot] = second;
        for (const kind of KINDS) slots[kind][slot] = 0;
      }
      const counts = slots[KIND_OF[operation]];
      counts[slot] = (counts[slot] ?? 0) + 1;
    },
    last,
    sums(second, seconds) {
      const series = last(second, seconds);
      const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
      return { inserted: sum(series.inserted), updated: sum(series.updated), deleted: sum(series.deleted) };
    },
  };
}
