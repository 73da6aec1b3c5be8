/** Keeps a part running: names it when it dies and starts it again, with growing pauses, until there is no point. */
import { setTimeout as delay } from "node:timers/promises";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
/** One that ran so long has recovered: the next death is a new one. */
const HEALTHY_AFTER_MS = 30_000;
const MAX_DEATHS_IN_A_ROW = 6;

export interface Running {
  readonly pid: number;
  /** How it ended, in words. */
  readonly exited: Promise<string>;
  stop(): Promise<void>;
  kill(): void;
}

export interface Supervised<T extends Running> {
  /** The one that runs now; between a death and the next start the one that died. */
  readonly current: T;
  /** Resolves with what to tell when the part was given up; with null when it was stopped. */
  readonly ended: Promise<string | null>;
  stop(): Promise<void>;
}

/**
 * Starts the part (a failure of this first start is the caller's) and looks after it from then on.
 *
 * @param name for the messages: `listener`.
 */
export async function supervise<T extends Running>(
  name: string,
  start: () => Promise<T>,
  say: (line: string) => void,
  firstPauseMs = FIRST_PAUSE_MS,
): Promise<Supervised<T>> {
  const stopping = new AbortController();
  let current = await start();

  /** Starts it again, as often as it takes. A message when there is no point any more. */
  async function restart(failure: string, deaths: number): Promise<{ deaths: number } | string> {
    if (deaths > MAX_DEATHS_IN_A_ROW) return `${name} ended ${deaths} times in a row (${failure})`;
    const pauseMs = Math.min(LONGEST_PAUSE_MS, firstPauseMs * 2 ** (deaths - 1));
    say(`${name} ended (${failure}): starting it again in ${pauseMs / 1000} s`);
    await delay(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    if (stopping.signal.aborted) return { deaths };
    try {
      current = await start();
      return { deaths };
    } catch (error) {
      return restart(error instanceof Error ? error.message : String(error), deaths + 1);
    }
  }

  async function lookAfter(): Promise<string | null> {
    for (let deaths = 0; ;) {
      const startedAt = performance.now();
      const how = await current.exited;
      if (stopping.signal.aborted) return null;
      const recovered = performance.now() - startedAt > HEALTHY_AFTER_MS;
      const outcome = await restart(how, recovered ? 1 : deaths + 1);
      if (typeof outcome === "string") return outcome;
      ({ deaths } = outcome);
      if (stopping.signal.aborted) {
        await current.stop(); // It may have come up after the stop.
        return null;
      }
    }
  }
  const ended = lookAfter();

  return {
    get current() {
      return current;
    },
    ended,
    async stop() {
      stopping.abort();
      await current.stop();
      await ended;
    },
  };
}
