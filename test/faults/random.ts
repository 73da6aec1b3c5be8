/** Chance that can be repeated: everything in a run is drawn from its seed. */
import { between, seeded } from "../contract/random.ts";

export interface Dice {
  /** From [0, 1). */
  next(): number;
  /** A whole number, both ends possible. */
  between(from: number, to: number): number;
  chance(probability: number): boolean;
  pick<T>(list: readonly [T, ...T[]]): T;
  /** Dice of their own for a part of the run, so that one part's draws do not shift another's. */
  fork(name: string): Dice;
}

export function dice(seed: number): Dice {
  const next = seeded(seed);
  return {
    next,
    between: (from, to) => between(next, from, to),
    chance: (probability) => next() < probability,
    pick: (list) => list[Math.floor(next() * list.length)] ?? list[0],
    fork: (name) => {
      let mixed = seed;
      for (const char of name) mixed = Math.imul(mixed ^ (char.codePointAt(0) ?? 0), 16_777_619);
      return dice(mixed);
    },
  };
}
