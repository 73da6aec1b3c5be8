/**
 * The life of one connection to Postgres:
 *
 *     settle ─► drain ─► wait ─► drain ─► wait …        until the connection is lost, which throws, or it may sleep
 *
 * settle: ask the ChangeLog where it stands and make sure that its history is this database's.
 * drain:  read a page, POST it while the next is read, go on from there, while there is more.
 * wait:   for the doorbell, or for the keepalive. A doorbell that rang during the drain ends the wait at once. Under load
 *         the doorbell is kept silent, and the wait is a short pause (listener/silence.ts).
 *
 * Nothing is kept here but the place where the ChangeLog stands, and it knows that better: whatever is lost, it is asked
 * again. One POST in flight and one page read ahead; what else waits, waits in the outbox.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { LastChange, LogState } from "../protocol/ingest.ts";
import type { Backoff } from "./backoff.ts";
import type { Config } from "./config.ts";
import type { Database, Page } from "./database.ts";
import { appendText } from "./deliver.ts";
import type { Answer, ChangeLog } from "./deliver.ts";
import type { Doorbell } from "./doorbell.ts";
import type { Meter } from "./metrics.ts";
import type { Report } from "./report.ts";
import { startRounds } from "./rounds.ts";
import type { Vigil } from "./vigil.ts";

const PRUNE_EVERY_MS = 10_000;
const PRUNE_ROWS = 5_000;
/** Less than this is not asked for: it holds the key of a change whose row is left out. */
const SMALLEST_BATCH_BYTES = 500;
/** A drain that took so long is worth a line when it is over. */
const LONG_DRAIN_MS = 1_000;

/** What outlives a connection. */
export interface World {
  readonly config: Config;
  readonly changeLog: ChangeLog;
  readonly doorbell: Doorbell;
  readonly report: Report;
  readonly postgresBackoff: Backoff;
  readonly workerBackoff: Backoff;
  /** Whether to hold a connection at all. */
  readonly vigil: Vigil;
  /** Told of each connection. */
  readonly meter: Pick<Meter, "connected" | "lost">;
  /** ms on a clock that only goes forward. */
  readonly now: () => number;
}

/** Where the ChangeLog stands in this database's history. */
interface Place {
  readonly cursor: string;
  readonly last: LastChange | null;
}

type Settled = Extract<Answer, { kind: "accepted" | "conflict" | "too large" }>;

/**
 * Keeps the ChangeLog up to date from one connection; resolves when that is not needed for now.
 *
 * @throws {ConnectionLost} when the connection is lost or the listener stops; otherwise whatever Postgres answered.
 */
export async function serve(world: World, database: Database): Promise<void> {
  const { config, changeLog, doorbell, report, vigil, now } = world;
  const { log, counters } = report;
  const signal = database.lost;
  let size = { changes: config.BATCH_CHANGES, bytes: config.BATCH_BYTES };
  let heardAt = -Infinity;
  let pruneAt = -Infinity;
  /** Until the log says otherwise. */
  let isWatched = true;
  const source = await database.source();
  let place = await settle(await askState());
  const rounds = await startRounds(database);

  for (let first = true; ; first = false) {
    const startedAt = now();
    await rounds.begin();
    const total = await drain();
    const ms = Math.round(now() - startedAt);
    if (first || ms >= LONG_DRAIN_MS) log.info({ ...total, ms }, "caught up");
    report.drained(total.changes, ms);
    if (now() - heardAt >= config.KEEPALIVE_MS) await sendHeartbeat();
    await prune();
    vigil.tell({ type: "caught up" });
    if (vigil.state.name === "asleep") return;
    const before = rounds.mode;
    const patience = await rounds.end({ found: total.changes > 0, rung: doorbell.rung }, isWatched);
    if (rounds.mode !== before) log.debug({ before, now: rounds.mode }, "doorbell");
    const keepalive = Math.max(0, heardAt + config.KEEPALIVE_MS - now());
    await doorbell.wait(Math.min(patience ?? keepalive, keepalive), signal);
  }

  /** The place that `state` names, or that of a new epoch when the log's history is not this database's. */
  async function settle(state: LogState): Promise<Place> {
    for (;;) {
      const { cursor, last } = state;
      const reason = await findBreak(state);
      if (cursor !== null && reason === null) return { cursor, last };
      const { next_cursor: to } = await database.read(null, 1, 1);
      const restart = cursor === null || reason === null ? {} : { restart: reason };
      const answer = await append(
        cursor,
        appendText({ source, from: cursor, to, changes: "[]", ...restart }),
      );
      if (answer.kind === "too large") throw new Error(`an empty batch is too large: ${answer.reason}`);
      if (answer.kind === "accepted") {
        counters.restarts++;
        if (reason === null) log.info({ position: answer.state.position }, "the log begins");
        else
          log.warn({ reason, position: answer.state.position }, "the log begins anew: the history changed");
        return { cursor: answer.state.cursor ?? to, last: answer.state.last };
      }
      state = answer.state;
    }
  }

  async function findBreak({ source: theirs, cursor, last }: LogState): Promise<string | null> {
    if (cursor === null) return null;
    const reason = await database.checkHistory(theirs, cursor, last);
    return reason ?? (theirs === source ? null : "another database");
  }

  /** Until a read says that nothing is left. Returns what was stored. */
  async function drain(): Promise<{ changes: number; batches: number }> {
    const total = { changes: 0, batches: 0 };
    let reading: Promise<Page> | null = read(place.cursor);
    while (reading !== null) {
      const page: Page = await reading;
      reading = null;
      world.postgresBackoff.reset();
      if (page.count === 0 && !page.more) break;
      if (page.more) {
        // Read while this page is on its way: it is next unless this one is not stored.
        if (doorbell.rung) counters.spared++;
        reading = read(page.next_cursor);
      }
      const { changes, next_cursor: to, read_at: readAt } = page;
      const body = appendText({ source, from: place.cursor, to, changes, readAt });
      const answer = await append(place.cursor, body);
      if (answer.kind === "accepted") {
        place = { cursor: page.next_cursor, last: answer.state.last };
        report.delivered(page.count, body.length);
        total.changes += page.count;
        total.batches++;
      } else {
        if (answer.kind === "conflict") await follow(answer.state);
        else await shrink(page, answer.reason);
        reading = read(place.cursor); // and what was read ahead is left
      }
    }
    size = { changes: config.BATCH_CHANGES, bytes: config.BATCH_BYTES };
    return total;
  }

  /** What follows a cursor. What rang before is in it. */
  function read(cursor: string): Promise<Page> {
    doorbell.answer();
    const page = database.read(cursor, size.changes, size.bytes);
    page.catch(() => undefined); // Thrown where it is waited for; read ahead, that may be never.
    return page;
  }

  /** Nothing to tell but that we live. */
  async function sendHeartbeat(): Promise<void> {
    const { cursor } = place;
    const answer = await append(cursor, appendText({ source, from: cursor, to: cursor, changes: "[]" }));
    counters.heartbeats++;
    if (answer.kind !== "conflict") return;
    await follow(answer.state);
    doorbell.ring();
  }

  /** Go on from where the log stands. */
  async function follow(state: LogState): Promise<void> {
    report.conflicted();
    log.debug({ position: state.position }, "conflict");
    place =
      state.cursor !== null && state.source === source
        ? { cursor: state.cursor, last: state.last }
        : await settle(state);
  }

  /** Ask for half as much, until this drain is over. One change that is too large by itself comes truncated then. */
  async function shrink({ count, changes }: Page, reason: string): Promise<void> {
    if (changes.length <= SMALLEST_BATCH_BYTES) {
      return pause("the Worker takes not even this little", reason, world.workerBackoff.longest());
    }
    const bytes = count > 1 ? size.bytes : Math.ceil(Math.min(size.bytes, changes.length) / 2);
    size = { changes: Math.ceil(count / 2), bytes };
    log.warn({ reason, changes: count, bytes: changes.length, next: size }, "batch too large");
  }

  /** Old rows go in small batches; a change that comes meanwhile goes first. */
  async function prune(): Promise<void> {
    const { last, cursor } = place;
    if (now() < pruneAt) return;
    try {
      let pruned = PRUNE_ROWS;
      while (pruned >= PRUNE_ROWS) {
        if (doorbell.rung) return; // And go on after the next drain.
        pruned = await database.prune(cursor, last, config.OUTBOX_RETENTION_MS, PRUNE_ROWS);
        counters.pruned += pruned;
        if (pruned > 0) log.debug({ pruned }, "pruned");
      }
    } catch (error) {
      signal.throwIfAborted();
      // A full outbox is tomorrow's trouble, a stream that stands still is today's.
      report.fault("the outbox cannot be pruned", { reason: String(error), retryInMs: PRUNE_EVERY_MS });
    }
    pruneAt = now() + PRUNE_EVERY_MS;
  }

  async function askState(): Promise<LogState> {
    const answer = await ask(() => changeLog.state(signal));
    if (answer.kind === "too large") throw new Error(answer.reason);
    return answer.state;
  }

  async function append(from: string | null, body: string): Promise<Settled> {
    return ask(async () => {
      const answer = await changeLog.append(body, signal);
      if (answer.kind !== "conflict" || answer.state.source !== source || answer.state.cursor !== from) {
        return answer;
      }
      // Following this would ask the same again at once, for ever.
      return { kind: "refused", reason: "409, and yet the log stands where this batch begins" };
    });
  }

  /** Asks until there is an answer that says how to go on. */
  async function ask(request: () => Promise<Answer>): Promise<Settled> {
    const startedAt = now();
    for (let faults = 0; ; faults++) {
      const answer = await request();
      signal.throwIfAborted();
      if (answer.kind === "refused") {
        await pause("the Worker refuses", answer.reason, world.workerBackoff.longest());
      } else if (answer.kind === "failed") {
        await pause("the Worker does not answer", answer.reason, world.workerBackoff.next());
      } else {
        heardAt = now();
        if (answer.kind !== "too large") {
          world.workerBackoff.reset();
          isWatched = answer.state.clients !== 0;
        }
        if (faults > 0) log.info({ afterMs: Math.round(heardAt - startedAt) }, "the Worker answers again");
        return answer;
      }
    }
  }

  async function pause(event: string, reason: string, retryInMs: number): Promise<void> {
    report.fault(event, { reason, retryInMs });
    await sleep(retryInMs, undefined, { signal });
  }
}
