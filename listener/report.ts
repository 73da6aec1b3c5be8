/**
 * What the listener tells about itself: counters, and log lines that stay few. Deliveries and lasting faults are both
 * told at most once a second, with how many were left untold.
 */
import type { Logger } from "pino";

const QUIET_MS = 1_000;

/** Totals since the start. */
export interface Counters {
  connections: number;
  batches: number;
  changes: number;
  bytes: number;
  /** POSTs that another listener, or our own before a fault, had made unnecessary. */
  conflicts: number;
  heartbeats: number;
  /** New epochs: the first, and those after the database's history had changed. */
  restarts: number;
  /** Waits after a fault, on either side. */
  retries: number;
  pruned: number;
  /** Rings of the doorbell. */
  rings: number;
  /** Of those, how many needed no round of their own: one that was due, or under way, answered them too. */
  spared: number;
}

export interface Report {
  readonly counters: Counters;
  /** Each event of `fault` and how often it came. */
  readonly faults: ReadonlyMap<string, number>;
  readonly log: Logger;
  /** One batch was stored. */
  delivered(changes: number, bytes: number): void;
  /** One batch was not needed. */
  conflicted(): void;
  /** A drain has ended that took so long, in ms; told to nobody but listener/metrics.ts. */
  drained(changes: number, ms: number): void;
  /** Something went wrong and will be tried again; at most one line a second for each `event`. */
  fault(event: string, fields: { reason: string; [field: string]: unknown }): void;
  /** Write down what has not been told yet. */
  flush(): void;
}

/** @param now ms on a clock that only goes forward, such as `performance.now`. */
export function createReport(log: Logger, now: () => number): Report {
  const counters: Counters = {
    connections: 0,
    batches: 0,
    changes: 0,
    bytes: 0,
    conflicts: 0,
    heartbeats: 0,
    restarts: 0,
    retries: 0,
    pruned: 0,
    rings: 0,
    spared: 0,
  };
  const faults = new Map<string, number>();
  const mayTell = createThrottle(QUIET_MS, now);
  let untold = { changes: 0, batches: 0, bytes: 0, conflicts: 0 };
  let toldAt = -Infinity;
  let timer: NodeJS.Timeout | null = null;

  function flush(): void {
    if (timer) clearTimeout(timer);
    timer = null;
    if (untold.batches + untold.conflicts === 0) return;
    // Conflicts alone are every day's work for the second of two listeners.
    log[untold.batches > 0 ? "info" : "debug"](untold, "delivered");
    untold = { changes: 0, batches: 0, bytes: 0, conflicts: 0 };
    toldAt = now();
  }
  function tell(): void {
    const wait = toldAt + QUIET_MS - now();
    if (wait <= 0) flush();
    else timer ??= setTimeout(flush, wait).unref();
  }

  return {
    counters,
    faults,
    log,
    delivered(changes, bytes) {
      counters.batches++;
      counters.changes += changes;
      counters.bytes += bytes;
      untold.batches++;
      untold.changes += changes;
      untold.bytes += bytes;
      tell();
    },
    conflicted() {
      counters.conflicts++;
      untold.conflicts++;
      tell();
    },
    drained() {},
    fault(event, fields) {
      counters.retries++;
      faults.set(event, (faults.get(event) ?? 0) + 1);
      const held = mayTell(event);
      if (held !== null) log.warn(held === 0 ? fields : { ...fields, untold: held }, event);
    },
    flush,
  };
}

/**
 * A gate that opens once in `intervalMs` for each key. It answers how many it held back since it last opened, or null
 * when it stays shut.
 */
export function createThrottle(intervalMs: number, now: () => number): (key: string) => number | null {
  const gates = new Map<string, { openedAt: number; held: number }>();
  return (key) => {
    const gate = gates.get(key);
    if (gate && now() - gate.openedAt < intervalMs) {
      gate.held++;
      return null;
    }
    gates.set(key, { openedAt: now(), held: 0 });
    return gate?.held ?? 0;
  };
}
