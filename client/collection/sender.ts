/** Sends what is in the outbox: one write at a time, in order, again and again until there is an answer. */
import { backoffMs } from "../backoff.ts";
import type { Env } from "../env.ts";
import type { Key } from "../rows.ts";
import type { Write } from "./outbox.ts";
import { WriteRefused, type WriteCalls } from "./write.ts";

/** A request that hangs for longer has been lost; the next one carries the same Idempotency-Key. */
const ANSWER_MS = 30_000;
/** The same, when the stream had to be opened anew meanwhile. */
const ANSWER_ACROSS_MS = 2_000;

/** A write that has failed as often, though the server is there, is let go past by those to other rows. */
const PATIENCE = 3;

interface Dependencies<R> {
  readonly next: (held: ReadonlySet<Key>) => Write<R> | undefined;
  readonly send: (write: Write<R>) => Promise<{ readonly data: R | null; readonly xid: string }>;
  readonly sending: (write: Write<R>) => void;
  readonly answered: (write: Write<R>, answer: { readonly data: R | null; readonly xid: string }) => void;
  readonly refused: (write: Write<R>, error: WriteRefused) => void;
  /** `never`: the browser knows that there is no network. `live`: when a write fails, the way to the server is not why. */
  readonly reach: () => "never" | "unknown" | "live";
  /** How many may come back with this one. */
  readonly clients: () => number;
  readonly env: Pick<Env, "now" | "random" | "setTimeout" | "clearTimeout">;
}

/** On its way to the server. */
interface Flight {
  readonly since: number;
  readonly giveUp: () => void;
}

export class Sender<R> {
  readonly #deps: Dependencies<R>;
  /** Rows that are left alone until the next round. */
  readonly #held = new Set<Key>();
  #retry: unknown = null;
  #flight: Flight | null = null;
  #isRunning = false;
  #isClosed = false;

  constructor(deps: Dependencies<R>) {
    this.#deps = deps;
  }

  /** There is something to send; when sending has just failed, it waits for the next round. */
  wake(): void {
    if (this.#retry === null || this.#held.size > 0) void this.#run();
  }

  /** The server can be reached again: there is no reason to wait. */
  retryNow(): void {
    this.#cancelRetry();
    this.#held.clear();
    const { now } = this.#deps.env;
    if (this.#flight && now() - this.#flight.since > ANSWER_ACROSS_MS) this.#flight.giveUp();
    void this.#run();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelRetry();
    this.#flight?.giveUp();
  }

  async #run(): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      for (let write = this.#next(); write !== undefined; write = this.#next()) {
        if (await this.#try(write)) continue;
        const attempt = write.attempt + 1;
        this.#retryLater(attempt);
        if (attempt < PATIENCE || this.#deps.reach() !== "live") return;
        this.#held.add(write.key);
      }
    } finally {
      this.#isRunning = false;
    }
  }

  #next(): Write<R> | undefined {
    const isAway = this.#isClosed || this.#deps.reach() === "never";
    return isAway ? undefined : this.#deps.next(this.#held);
  }

  /** False when there is a reason to wait before it is sent again. */
  async #try(write: Write<R>): Promise<boolean> {
    const { sending, send, answered, refused } = this.#deps;
    sending(write);
    try {
      const answer = await this.#inTime(send(write));
      if (answer !== "given up" && !this.#isClosed) answered(write, answer);
    } catch (error) {
      if (!(error instanceof WriteRefused)) return false;
      if (!this.#isClosed) refused(write, error);
    }
    return true;
  }

  async #inTime<T>(answer: Promise<T>): Promise<T | "given up"> {
    const { now, setTimeout, clearTimeout } = this.#deps.env;
    let timer: unknown;
    const end = new Promise<"given up">((resolve, reject) => {
      timer = setTimeout(() => reject(new Error("no answer")), ANSWER_MS);
      this.#flight = { since: now(), giveUp: () => resolve("given up") };
    });
    try {
      return await Promise.race([answer, end]);
    } finally {
      this.#flight = null;
      clearTimeout(timer);
    }
  }

  #retryLater(attempt: number): void {
    if (this.#isClosed || this.#retry !== null) return;
    const { env, clients } = this.#deps;
    const wait = backoffMs(attempt, env.random(), clients());
    this.#retry = env.setTimeout(() => this.retryNow(), wait);
  }

  #cancelRetry(): void {
    if (this.#retry !== null) this.#deps.env.clearTimeout(this.#retry);
    this.#retry = null;
  }
}

/** Sends one write the way the application says. */
export async function carryOut<R>(
  calls: WriteCalls<R>,
  { kind, fields, base, id }: Write<R>,
): Promise<{ readonly data: R | null; readonly xid: string }> {
  if (kind === "create") return calls.create(fields, id);
  if (kind === "update") return calls.update(base, fields, id);
  return { data: null, ...(await calls.remove(base, id)) };
}
