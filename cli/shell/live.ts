/**
 * Live changes on their way above the prompt. A few come at once; of a flood the newest are shown and the others counted,
 * so that the screen can be read and the terminal keeps up.
 */
import type { Change } from "../../client/index.ts";

/** So many lines at a time. */
export const MAX_LINES = 10;
/** Between two times, ms. */
const PAUSE_MS = 100;
/** After more than MAX_LINES had come. */
const FLOOD_PAUSE_MS = 1000;

export interface LiveOptions {
  readonly print: (lines: readonly string[]) => void;
  readonly describe: (change: Change) => string;
  readonly setTimeout: (call: () => void, ms: number) => unknown;
}

export interface Live {
  readonly add: (changes: readonly Change[]) => void;
  /** Shows nothing until `release`: a question has the screen. */
  readonly hold: () => void;
  readonly release: () => void;
}

export function liveLines({ print, describe, setTimeout }: LiveOptions): Live {
  let newest: Change[] = [];
  let left = 0;
  let isPausing = false;
  let isHeld = false;

  const flush = (): void => {
    if (isPausing || isHeld || newest.length === 0) return;
    const more = left === 0 ? [] : [`… ${left} more ${left === 1 ? "change" : "changes"} before these`];
    const pause = left === 0 ? PAUSE_MS : FLOOD_PAUSE_MS;
    const lines = [...more, ...newest.map(describe)];
    newest = [];
    left = 0;
    isPausing = true;
    setTimeout(() => {
      isPausing = false;
      flush();
    }, pause);
    print(lines);
  };

  return {
    add: (changes) => {
      const all = [...newest, ...changes.slice(-MAX_LINES)];
      left += newest.length + changes.length;
      newest = all.slice(-MAX_LINES);
      left -= newest.length;
      flush();
    },
    hold: () => {
      isHeld = true;
    },
    release: () => {
      isHeld = false;
      flush();
    },
  };
}
