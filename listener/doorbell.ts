/**
 * Says that the outbox may hold more. It counts nothing: however often it rings during a drain, one more drain answers
 * it. Postgres folds equal notifications of a transaction into one anyway.
 */
export interface Doorbell {
  ring(): void;
  /** Whether it rang since the last `answer`. */
  readonly rung: boolean;
  /** Take note of the rings so far. Always before the read that they ask for: a ring after it asks for another. */
  answer(): void;
  /**
   * Resolves at the next ring (at once when it rang already), or after `ms`: true when it rang.
   * Rejects with the signal's reason when that aborts.
   */
  wait(ms: number, signal: AbortSignal): Promise<boolean>;
}

export function createDoorbell(): Doorbell {
  let rung = false;
  let wake: (() => void) | null = null;
  return {
    ring() {
      rung = true;
      wake?.();
    },
    get rung() {
      return rung;
    },
    answer() {
      rung = false;
    },
    wait(ms, signal) {
      return new Promise((resolve, reject) => {
        const end = (settle: () => void): void => {
          clearTimeout(timer);
          signal.removeEventListener("abort", onAbort);
          wake = null;
          settle();
        };
        const onAbort = (): void => end(() => reject(signal.reason as Error));
        const timer = setTimeout(() => end(() => resolve(false)), ms);
        signal.addEventListener("abort", onAbort);
        wake = () => end(() => resolve(true));
        if (signal.aborted) onAbort();
        else if (rung) wake();
      });
    },
  };
}
