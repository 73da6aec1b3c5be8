/**
 * Trying again: a compute that wakes, a proxy that hiccups, a server that restarts are nobody's error. What surely did not
 * happen is tried again; what may have happened only when repeating it makes no difference.
 */
import type { Database, QueryOptions } from "./database.ts";
import { DatabaseError, DatabaseUnavailable } from "./failure.ts";

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_600;

/** Whether a failed statement was carried out. `final`: it was answered, and another try would get the same answer. */
export type Fate = "did not happen" | "unknown" | "final";

/** @param error what an adapter threw. */
export function fateOf(error: unknown): Fate {
  if (error instanceof DatabaseUnavailable) return error.sent ? "unknown" : "did not happen";
  if (!(error instanceof DatabaseError)) return "final";
  switch (error.sqlState) {
    case "57P03": // cannot_connect_now: starting up, shutting down
    case "53300": // too_many_connections
    case "40001": // serialization_failure: rolled back
    case "40P01": // deadlock_detected: rolled back
      return "did not happen";
    case "57P01": // admin_shutdown: the compute is suspended, perhaps just as the statement committed
    case "57P02": // crash_shutdown
      return "unknown";
    default:
      return error.sqlState.startsWith("08") ? "unknown" : "final"; // 08: the connection broke
  }
}

interface Clock {
  /** ms. */
  now(): number;
  /** From [0, 1). */
  random(): number;
  sleep(ms: number): Promise<void>;
}

const CLOCK: Clock = {
  now: Date.now,
  random: Math.random,
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/**
 * The same database, with patience. Pauses double from 100 ms, with full jitter.
 *
 * @param budgetMs no new attempt begins later than this after the first.
 */
export function withRetries(database: Database, budgetMs: number, clock: Clock = CLOCK): Database {
  return {
    async query<T>(text: string, params: readonly unknown[] = [], options: QueryOptions = {}) {
      const startedAt = clock.now();
      for (let window = FIRST_PAUSE_MS; ; window = Math.min(LONGEST_PAUSE_MS, window * 2)) {
        try {
          return await database.query<T>(text, params, options);
        } catch (error) {
          const fate = fateOf(error);
          const mayRepeat = fate === "did not happen" || (fate === "unknown" && options.repeatable === true);
          const pause = window * clock.random();
          if (mayRepeat && clock.now() + pause - startedAt < budgetMs) {
            await clock.sleep(pause);
            continue;
          }
          // Said in one way, however the connection worded it: the caller has to look before trying again.
          if (fate === "unknown" && options.repeatable !== true) throw new FateUnknown(error);
          throw error;
        }
      }
    },
  };
}

/** A write whose answer was lost: it may stand, or not. */
export class FateUnknown extends DatabaseUnavailable {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
