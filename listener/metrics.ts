/**
 * What the listener measures of itself, for Prometheus: https://prometheus.io/docs/instrumenting/exposition_formats/
 * What each name means, and what to do about it, is in docs/operations.md. Nothing here is in the way of a change: totals
 * are read from the report when they are asked for.
 */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { ListenerState } from "../protocol/control.ts";
import type { Database } from "./database.ts";
import type { ChangeLog } from "./deliver.ts";
import type { Counters, Report } from "./report.ts";

const PREFIX = "rowcast_listener_";
/** However often it is scraped, the outbox is asked after at most so often. */
const OUTBOX_EVERY_MS = 15_000;
const MS_BUCKETS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000];
const CHANGES_BUCKETS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 10_000];
const BYTES_BUCKETS = [500, 1_000, 5_000, 10_000, 50_000, 100_000, 500_000, 1_000_000, 2_000_000];

/** Whom a fault of the report concerns. */
const SIDES: Readonly<Record<string, string>> = {
  "reconnecting to Postgres": "postgres",
  "the Worker does not answer": "worker",
  "the Worker refuses": "worker",
  "the Worker takes not even this little": "worker",
  "reconnecting the control socket": "control",
  "the outbox cannot be pruned": "prune",
};
const TOTALS: readonly (readonly [keyof Counters, name: string, help: string])[] = [
  ["connections", "connections_total", "Connections to Postgres that were opened"],
  ["batches", "batches_total", "Batches that the ChangeLog stored"],
  ["changes", "changes_total", "Changes that the ChangeLog stored"],
  ["bytes", "bytes_total", "Bytes of the batches that the ChangeLog stored"],
  ["conflicts", "conflicts_total", "Batches that another listener had delivered before"],
  ["heartbeats", "heartbeats_total", "Signs of life sent with nothing else to say"],
  ["restarts", "epochs_total", "Epochs begun: the first of a log, and one whenever the history changed"],
  ["pruned", "pruned_total", "Delivered changes that were taken out of the outbox"],
  ["rings", "doorbells_total", "Notifications that came"],
  ["spared", "doorbells_spared_total", "Notifications that needed no round of their own"],
];

export type OutboxSize = Awaited<ReturnType<Database["outboxSize"]>>;

export interface Meter {
  readonly registry: Registry;
  /** The report that was given, measured. */
  readonly report: Report;
  /** When the connection to Postgres went, on the clock of `now`; null while there is one. */
  readonly lostAt: number | null;
  /** The same log, with its answers timed. */
  measure(changeLog: ChangeLog): ChangeLog;
  /** From now on the outbox may be asked after here. */
  connected(database: Pick<Database, "outboxSize">): void;
  /** The connection is gone, on purpose or not. */
  lost(): void;
  /** Which of the states to show as the present one. */
  showState(state: ListenerState): void;
}

/** @param now ms on a clock that only goes forward. */
export function createMeter(report: Report, now: () => number): Meter {
  const registry = new Registry();
  const registers = [registry];
  const histogram = (name: string, help: string, buckets: readonly number[]) =>
    new Histogram({ name: PREFIX + name, help, buckets: [...buckets], registers });
  const lag = histogram("lag_ms", "From a statement in the database to its batch in the log", MS_BUCKETS);
  const drain = histogram("drain_ms", "Time of a drain that found changes", MS_BUCKETS);
  const post = histogram("post_ms", "Time of a POST to the Worker, whatever the answer", MS_BUCKETS);
  const batchChanges = histogram("batch_changes", "Changes in a batch that was stored", CHANGES_BUCKETS);
  const batchBytes = histogram("batch_bytes", "Bytes of a batch that was stored", BYTES_BUCKETS);
  for (const [key, name, help] of TOTALS) total(name, help, () => report.counters[key]);
  const retries = new Counter({
    name: `${PREFIX}retries_total`,
    help: "Waits after a fault, by the side that failed",
    labelNames: ["side"],
    registers: [],
    collect() {
      this.reset();
      for (const side of new Set(Object.values(SIDES))) this.inc({ side }, 0);
      for (const [event, times] of report.faults) this.inc({ side: SIDES[event] ?? "other" }, times);
    },
  });
  registry.registerMetric(retries);
  const state = new Gauge({
    name: `${PREFIX}state`,
    help: "1 for the state it is in: live, connecting or asleep",
    labelNames: ["state"],
    registers,
  });
  const outboxRows = new Gauge({
    name: `${PREFIX}outbox_rows`,
    help: "Rows in the outbox at most, delivered ones that are kept for a while among them; as last asked",
    registers,
    collect: () => askOutbox(),
  });
  const outboxAge = new Gauge({
    name: `${PREFIX}outbox_oldest_age_ms`,
    help: "Age of the oldest row in the outbox, 0 when it is empty; as last asked",
    registers,
    collect: () => asked,
  });

  let database: Pick<Database, "outboxSize"> | null = null;
  let lostAt: number | null = now();
  let askedAt = -Infinity;
  let asked: Promise<void> = Promise.resolve();

  function total(name: string, help: string, read: () => number): void {
    const counter = new Counter({
      name: PREFIX + name,
      help,
      registers: [],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
    registry.registerMetric(counter);
  }

  /** Only over a connection that is there anyway: a scrape wakes no database. */
  function askOutbox(): Promise<void> {
    if (database !== null && now() - askedAt >= OUTBOX_EVERY_MS) {
      askedAt = now();
      asked = measureOutbox(database);
    }
    return asked;
  }
  async function measureOutbox(of: Pick<Database, "outboxSize">): Promise<void> {
    try {
      const { rows, oldestAgeMs } = await of.outboxSize();
      outboxRows.set(rows);
      outboxAge.set(oldestAgeMs ?? 0);
    } catch (error) {
      // The other metrics matter more than these; a lost connection tells of itself.
      report.log.debug({ reason: String(error) }, "the outbox was not measured");
    }
  }

  return {
    registry,
    report: {
      ...report,
      delivered(changes, bytes) {
        batchChanges.observe(changes);
        batchBytes.observe(bytes);
        report.delivered(changes, bytes);
      },
      drained(changes, ms) {
        if (changes > 0) drain.observe(ms);
      },
    },
    get lostAt() {
      return lostAt;
    },
    measure: (changeLog) => ({
      state: (signal) => changeLog.state(signal),
      async append(body, signal) {
        const startedAt = now();
        const answer = await changeLog.append(body, signal);
        post.observe(now() - startedAt);
        // Heartbeats carry nothing that could be late.
        if (answer.kind === "accepted" && answer.state.last !== null && !body.endsWith('"changes":[]}')) {
          lag.observe(Math.max(0, Date.now() - Date.parse(answer.state.last.timestamp)));
        }
        return answer;
      },
    }),
    connected(next) {
      database = next;
      lostAt = null;
    },
    lost() {
      database = null;
      lostAt = now();
    },
    showState(present) {
      for (const name of ["live", "connecting", "asleep"] as const) {
        state.set({ state: name }, name === present ? 1 : 0);
      }
    },
  };
}
