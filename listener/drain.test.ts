/** The drain between a database and a log that are in memory: pages are read ahead, whatever the log answers. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import pino from "pino";
import type { LogState } from "../protocol/ingest.ts";
import { createBackoff } from "./backoff.ts";
import { readConfig } from "./config.ts";
import type { Database, Page } from "./database.ts";
import type { Answer } from "./deliver.ts";
import { createDoorbell } from "./doorbell.ts";
import { serve, type World } from "./drain.ts";
import { createReport } from "./report.ts";

/** What the log does with a batch: takes it, is ahead by so many changes of another listener, or finds it too large. */
type Outcome = "takes" | "too large" | { readonly ahead: number };

/** An outbox of so many changes; a cursor is how many of them have been read. */
class Stage {
  readonly #changes: number;
  readonly #outcomes: Outcome[];
  readonly #lost = new AbortController();
  readonly stored: number[] = [];
  readonly events: string[] = [];
  posting = 0;
  /** As the log counts them; undefined: a log that does not say. */
  clients: number | undefined;
  /** Another session keeps the doorbell silent. */
  isSilent = false;
  /** How long the listener would have waited, ms. */
  waited = 0;
  /** Called while a batch is on its way. */
  onPost: () => Promise<void> = async () => {};

  constructor(changes: number, outcomes: readonly Outcome[]) {
    this.#changes = changes;
    this.#outcomes = [...outcomes];
  }

  /** Until all is stored and the listener waits, which ends it. */
  async run(pageSize: number): Promise<void> {
    const log = pino({ level: "silent" });
    const now = () => performance.now();
    const config = readConfig({
      DATABASE_URL: "postgres://a:b@localhost/c",
      WORKER_URL: "http://localhost",
      INGEST_SECRET: "x".repeat(20),
      BATCH_CHANGES: String(pageSize),
    });
    const bell = createDoorbell();
    const world: World = {
      config,
      changeLog: { state: async () => this.#accept(), append: (body) => this.#append(body) },
      doorbell: { ...bell, wait: (ms, signal) => this.#end(ms, signal) },
      report: createReport(log, now),
      postgresBackoff: createBackoff(() => 0),
      workerBackoff: createBackoff(() => 0),
      vigil: {
        state: { name: "awake" } as World["vigil"]["state"],
        tell: () => {},
        untilAwake: async () => {},
      },
      meter: { connected: () => {}, lost: () => {} },
      now,
    };
    await expect(serve(world, this.#database())).rejects.toThrow("the end of the test");
  }

  #end(ms: number, signal: AbortSignal): Promise<boolean> {
    this.waited = ms;
    this.#lost.abort(new Error("the end of the test"));
    return Promise.reject(signal.reason as Error);
  }

  #database(): Database {
    const { events } = this;
    const all = this.#changes;
    return {
      lost: this.#lost.signal,
      hears: true,
      async read(cursor, maxChanges): Promise<Page> {
        const from = Number(cursor);
        const to = Math.min(all, from + maxChanges);
        events.push(`read ${from}`);
        const changes = JSON.stringify(Array.from({ length: to - from }, (_, i) => from + i));
        return { changes, count: to - from, next_cursor: String(to), more: to < all, read_at: "" };
      },
      source: async () => "here",
      checkHistory: async () => null,
      prune: async () => 0,
      outboxSize: async () => ({ rows: 0, oldestAgeMs: null }),
      silence: async () => false,
      unsilence: async () => "1",
      isSilent: async () => this.isSilent,
      heardSilence: () => false,
      freshTransaction: async () => "1",
      hasPassed: async () => true,
      close: () => {},
    };
  }

  async #append(body: string): Promise<Answer> {
    const { from, to, changes } = JSON.parse(body) as { from: string; to: string; changes: number[] };
    this.events.push(`post ${from}`);
    this.posting++;
    expect(this.posting).toBe(1);
    await this.onPost();
    this.posting--;
    const outcome = from === to ? "takes" : (this.#outcomes.shift() ?? "takes");
    if (outcome === "too large" && changes.length > 1)
      return { kind: "too large", reason: "as the test wants it" };
    if (typeof outcome === "object") {
      const ahead = Math.min(this.#changes, this.stored.length + outcome.ahead);
      while (this.stored.length < ahead) this.stored.push(this.stored.length);
    }
    if (Number(from) !== this.stored.length) return { ...this.#accept(), kind: "conflict" };
    this.stored.push(...changes);
    return this.#accept();
  }

  #accept(): Extract<Answer, { kind: "accepted" }> {
    const state: LogState = {
      ...(this.clients !== undefined && { clients: this.clients }),
      source: "here",
      cursor: String(this.stored.length),
      last: null,
      position: "e.0",
    };
    return { kind: "accepted", state };
  }
}

describe("A drain", () => {
  it("reads the next page while one is on its way, and no further", async () => {
    const stage = new Stage(25, []);
    stage.onPost = async () => {
      stage.events.push("…");
    };
    await stage.run(10);
    expect(stage.events.filter((event) => event !== "post 25")).toEqual([
      "read 0",
      "read 10",
      "post 0",
      "…",
      "read 20",
      "post 10",
      "…",
      "post 20",
      "…",
    ]);
  });

  it.each([
    ["as long as a picture or two with a client connected", 1, 20],
    ["as if somebody watched when the log does not say", undefined, 20],
    ["a tenth of a second with none", 0, 100],
  ])("waits under load %s", async (_, clients, ms) => {
    const stage = new Stage(5, []);
    Object.assign(stage, { clients, isSilent: true });
    await stage.run(10);
    expect(stage.waited).toBe(ms);
  });

  it("stores everything once and in order, whatever the log answers", async () => {
    const outcome = fc.oneof(
      fc.constant<Outcome>("takes"),
      fc.constant<Outcome>("too large"),
      fc.record({ ahead: fc.integer({ min: 1, max: 30 }) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.nat(80),
        fc.array(outcome, { maxLength: 12 }),
        fc.integer({ min: 1, max: 20 }),
        async (n, o, size) => {
          const stage = new Stage(n, o);
          await stage.run(size);
          expect(stage.stored).toEqual(Array.from({ length: n }, (_, i) => i));
        },
      ),
    );
  });
});
