/**
 * The ChangeLog's view of the Hubs: which have clients, and how far each has been served. One push is in flight per Hub;
 * what comes meanwhile goes with the next one. A Hub that fails is tried again with growing pauses and pulls what it
 * missed; neither the listener's POST nor another Hub waits for it.
 */
import type { Batch, ReadResult } from "./history.ts";
import type { LogStatus } from "./status.ts";
import type { Position } from "../../protocol/position.ts";

/** What a Hub says of itself. `at` orders what it says: an answer that overtook a later word is ignored. */
export interface HubReport {
  clients: number;
  at: number;
}

/** The calls to a Hub that the ChangeLog makes. */
export interface HubCalls {
  push(batch: Batch, status: LogStatus): Promise<HubReport>;
  tell(status: LogStatus): Promise<HubReport>;
}

interface Target extends HubReport {
  /** Up to where it has been sent; null when that is not known. */
  sent: Position | null;
  pushing: boolean;
  /** In a row. */
  failures: number;
  /** ms since 1970: it is left alone until then, however much there is to send. */
  restsUntil: number;
  /** When the last push to it began, ms since 1970. */
  pushedAt: number;
}

const UNTRIED = { sent: null, pushing: false, failures: 0, restsUntil: 0, pushedAt: 0 } as const;

interface Dependencies {
  call(name: string): HubCalls;
  read(since: Position, maxChars: number): ReadResult;
  head(): Position;
  status(): LogStatus;
  /** Called when a Hub comes, goes or counts differently. */
  changed(name: string, report: HubReport | null): void;
  /** A Hub is pushed to at most this often: what comes meanwhile goes together, as one frame for each client. */
  readonly pushEveryMs: number;
  warn(event: string, details: Record<string, unknown>): void;
}

/** What goes together is no more than this, unless one batch is: half of what a client may have under way. */
const PUSH_CHARS = 131_072;
/** A Hub that has not answered by then has failed. If it took the batch after all, it knows what to do with a second one. */
const PUSH_TIMEOUT_MS = 10_000;
const RETRY_MS = [250, 1000, 4000, 10_000];
/** After so many failures in a row no timer is set any more: the Hub's own check-in or the next change tries again. */
const MAX_FAILURES = 12;

export class FanOut {
  readonly #targets = new Map<string, Target>();
  readonly #deps: Dependencies;

  constructor(deps: Dependencies, known: Iterable<readonly [string, HubReport]>) {
    this.#deps = deps;
    for (const [name, report] of known) this.#targets.set(name, { ...report, ...UNTRIED });
  }

  get connectedClients(): number {
    let sum = 0;
    for (const { clients } of this.#targets.values()) sum += clients;
    return sum;
  }

  /** The Hubs that have clients, and how many. */
  clientsByHub(): [name: string, clients: number][] {
    return [...this.#targets].map(([name, { clients }]) => [name, clients]);
  }

  /** A Hub says how many clients it has; with none it leaves. Older words than the last are ignored. */
  report(name: string, report: HubReport, sent?: Position): void {
    const target = this.#targets.get(name);
    if (target !== undefined && report.at < target.at) return;
    if (report.clients === 0) {
      if (this.#targets.delete(name)) this.#deps.changed(name, null);
      return;
    }
    const changed = target?.clients !== report.clients;
    if (target === undefined) {
      const added: Target = { ...report, ...UNTRIED, sent: sent ?? null };
      this.#targets.set(name, added);
      void this.#push(name, added); // nothing to do when it has just joined, and so knows the head
    } else {
      Object.assign(target, report, { failures: 0, restsUntil: 0 }, sent && !target.pushing ? { sent } : {});
    }
    if (changed) this.#deps.changed(name, report);
  }

  /** New changes are in the log: brings every Hub up to its head. `batch` saves reading back what was just stored. */
  deliver(batch?: Batch): void {
    for (const [name, target] of this.#targets) void this.#push(name, target, batch);
  }

  /** Asks those Hubs that have said nothing since `before` (ms since 1970) how many clients they have. */
  ask(before: number): void {
    const silent = [...this.#targets].filter(([, { at }]) => at < before).map(([name]) => name);
    if (silent.length > 0) this.tell(this.#deps.status(), silent);
  }

  /** Tells every Hub what the whole looks like now. */
  tell(status: LogStatus, names: Iterable<string> = this.#targets.keys()): void {
    for (const name of names) {
      this.#deps
        .call(name)
        .tell(status)
        .then(
          (report) => this.report(name, report),
          // the next push or check-in brings the same news
          (error: unknown) =>
            this.#deps.warn("status not delivered to hub", { hub: name, error: String(error) }),
        );
    }
  }

  async #push(name: string, target: Target, batch?: Batch): Promise<void> {
    if (target.pushing || Date.now() < target.restsUntil) return;
    target.pushing = true;
    let isCut = false;
    try {
      while (!this.#hasAll(target)) {
        const wait = target.pushedAt + this.#deps.pushEveryMs - Date.now();
        if (wait > 0 && !isCut) await new Promise((resolve) => setTimeout(resolve, wait));
        const next = this.#next(target, batch);
        target.pushedAt = Date.now();
        const report = await within(PUSH_TIMEOUT_MS, this.#deps.call(name).push(next, this.#deps.status()));
        target.failures = 0;
        target.sent = { epoch: next.epoch, seq: next.to };
        isCut = next.text.length >= PUSH_CHARS / 2;
        this.report(name, report);
        if (this.#targets.get(name) !== target) return;
      }
    } catch (error) {
      this.#failed(name, target, error);
    } finally {
      target.pushing = false;
    }
  }

  #hasAll({ sent }: Target): boolean {
    const head = this.#deps.head();
    return sent?.epoch === head.epoch && sent.seq === head.seq;
  }

  /** What a Hub lacks. A Hub of another epoch is sent the empty head: it pulls and resets. */
  #next({ sent }: Target, batch?: Batch): Batch {
    const head = this.#deps.head();
    // To one of whom nothing is known too: it knows what it lacks, and pulls that.
    const continues = sent === null || (batch?.epoch === sent.epoch && batch.from === sent.seq);
    if (batch !== undefined && continues && batch.epoch === head.epoch && batch.to === head.seq) return batch;
    if (sent !== null) {
      const result = this.#deps.read(sent, PUSH_CHARS);
      if (result.ok) return result.batch;
    }
    return { epoch: head.epoch, from: head.seq, to: head.seq, text: "" };
  }

  #failed(name: string, target: Target, error: unknown): void {
    target.failures += 1;
    const retryMs = RETRY_MS[Math.min(target.failures, RETRY_MS.length) - 1] ?? 0;
    target.restsUntil = Date.now() + retryMs;
    const left = target.failures > MAX_FAILURES;
    this.#deps.warn(
      left
        ? "push to hub failed, trying again when it checks in or more is to be sent"
        : "push to hub failed, trying again",
      {
        hub: name,
        failures: target.failures,
        error: String(error),
        ...(left ? {} : { retryMs }),
      },
    );
    // A timer keeps this object in memory, but only while a Hub is failing.
    if (left) return;
    setTimeout(() => {
      target.restsUntil = 0;
      void this.#push(name, target);
    }, retryMs);
  }
}

/** @throws {Error} when the promise takes longer; what it comes to after that is ignored. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
