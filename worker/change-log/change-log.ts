/**
 * The ChangeLog: one object per database. It owns the order of all changes (compare-and-set on the listener's cursor, a
 * number for each change) and their recent history, knows which Hubs have clients, reads the outbox itself when clients
 * watch and no listener is heard, and wakes listeners that sleep while nobody watches.
 */
import { DurableObject } from "cloudflare:workers";
import type { LogState } from "../../protocol/ingest.ts";
import { formatPosition, type Position } from "../../protocol/position.ts";
import { openDatabase } from "../database/open.ts";
import type { Env } from "../env.ts";
import { parseHubName } from "../hub/region.ts";
import { parentOf, readShardLimits } from "../hub/tree.ts";
import { logError } from "../http/log-error.ts";
import { logEvent } from "../log.ts";
import { hub } from "../objects.ts";
import { readNumber } from "../settings.ts";
import { recordBatch } from "../analytics.ts";
import { Arrivals, type Arrival, type Carrier } from "./arrivals.ts";
import { describeLog, type LogDetails } from "./details.ts";
import { newEpoch } from "./epoch.ts";
import { FanOut, type HubReport } from "./fan-out.ts";
import { History, type Delivery, type ReadResult } from "./history.ts";
import { Listeners } from "./listeners.ts";
import { HubTable } from "./hub-table.ts";
import { readPages } from "./outbox.ts";
import { Planner } from "./plan.ts";
import { Ring } from "./ring.ts";
import { worthTelling, type LogOverview, type LogStatus } from "./status.ts";

/** How often the outbox is read when there is no listener. */
const FALLBACK_EVERY_MS = 2000;
/** Everyone is told of a change in the numbers at most this often. */
const TELL_EVERY_MS = 1000;
/** A Hub that has not been heard for so long is asked: it checks in every minute while it has clients. */
const HUB_SILENT_MS = 150_000;

/** How much of what was stored is kept in memory. */
const RECENT_CHARS = 4_000_000;

export class ChangeLog extends DurableObject<Env> {
  readonly #history: History;
  /** What was stored last: read back rows are billed. */
  readonly #recent = new Ring(RECENT_CHARS);
  readonly #hubs: HubTable;
  readonly #fanOut: FanOut;
  readonly #planner: Planner;
  readonly #arrivals = new Arrivals();
  readonly #listeners: Listeners;
  #lagMs: number | null = null;
  #told: LogStatus | null = null;
  #tellTimer: ReturnType<typeof setTimeout> | null = null;
  #toldAt = 0;
  #reading: Promise<void> | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const limits = {
      maxChanges: readNumber(env, "HISTORY_MAX_CHANGES"),
      maxAgeMs: readNumber(env, "HISTORY_MAX_AGE_MS"),
    };
    this.#history = new History(ctx.storage, limits, newEpoch);
    this.#hubs = new HubTable(ctx.storage.sql);
    this.#fanOut = new FanOut(
      {
        call: (name) => hub(env, parseHubName(name)),
        read: (since, maxChars) => this.#read(since, maxChars),
        head: () => this.#history.position,
        status: () => this.#status(),
        changed: (name, report) => this.#hubChanged(name, report),
        pushEveryMs: readNumber(env, "PUSH_EVERY_MS"),
        warn: (event, details) => logEvent("warn", event, details),
      },
      this.#hubs.all(),
    );
    this.#planner = new Planner(
      ctx.storage.kv,
      readShardLimits(env),
      this.#fanOut.clientsByHub(),
      Date.now(),
    );
    this.#listeners = new Listeners(ctx, {
      fallbackAfterMs: readNumber(env, "FALLBACK_AFTER_MS"),
      clients: () => this.#fanOut.connectedClients,
    });
  }

  /** A control socket from the Worker, which has checked the secret: a listener that may sleep. */
  override fetch(): Response {
    return this.#listeners.accept();
  }

  override webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): void {
    const heard = this.#listeners.hear(socket, data);
    if (heard === null) return;
    this.#tellSoon();
    if (heard.fellAsleep && this.#fanOut.connectedClients > 0) void this.#watchListener();
  }

  override webSocketClose(socket: WebSocket): void {
    this.#listeners.left(socket);
    this.#tellSoon();
  }

  override webSocketError(socket: WebSocket): void {
    this.webSocketClose(socket);
  }

  /** Where the log stands. Asked by the listener, so it also says that one lives. */
  state(): LogState {
    this.#heard();
    return this.#logState();
  }

  #logState(): LogState {
    return { ...this.#history.state, clients: this.#fanOut.connectedClients };
  }

  /**
   * Stores a delivery that begins at the stored cursor and sends it to the Hubs; an empty one is the listener's sign of
   * life. Anything else is a conflict and changes nothing.
   */
  append(delivery: Delivery): { stored: boolean; state: LogState } {
    this.#heard();
    return { stored: this.#store(delivery, "listener"), state: this.#logState() };
  }

  /** History after a position, for Hubs that fell behind and for `/api/changes`. `head` is where the log stands. */
  read(since: Position, maxChars: number, maxChanges?: number): ReadResult & { head: Position } {
    return { ...this.#read(since, maxChars, maxChanges), head: this.#history.position };
  }

  #read(since: Position, maxChars: number, maxChanges?: number): ReadResult {
    const batch =
      maxChanges === undefined && this.#history.reaches(since)
        ? this.#recent.after(since.seq, maxChars)
        : null;
    return batch === null ? this.#history.read(since, maxChars, maxChanges) : { ok: true, batch };
  }

  /**
   * A Hub has clients: from now on it is pushed to. Also its check-in, which mends a registration that was lost. One that
   * another Hub is to hand on to is only told so, by the plan.
   */
  join(name: string, report: HubReport): { position: Position; status: LogStatus } {
    if (this.#isTop(name)) this.#fanOut.report(name, report, this.#history.position);
    return { position: this.#history.position, status: this.#status() };
  }

  /** A Hub counts its clients; with none it is no longer pushed to. */
  report(name: string, report: HubReport): void {
    if (report.clients === 0 || this.#isTop(name)) this.#fanOut.report(name, report);
  }

  #isTop(name: string): boolean {
    return parentOf(parseHubName(name), this.#planner.plan) === null;
  }

  /**
   * The API has written: listeners that sleep are woken. With clients watching and no listener, the outbox is read now
   * instead of on the next alarm.
   */
  async wrote(): Promise<void> {
    this.#listeners.wrote();
    if (this.#fanOut.connectedClients > 0 && this.#listeners.status === "down") await this.#readOutbox();
  }

  overview(): LogOverview {
    const { plan: _, ...shown } = this.#status();
    return { ...shown, position: formatPosition(this.#history.position) };
  }

  /** When a change came and who brought it (null: too long ago, or another epoch), and what time it is here. */
  arrival({ epoch, seq }: Position): { arrival: Arrival | null; now: number } {
    const isOurs = epoch === this.#history.position.epoch;
    return { arrival: isOurs ? this.#arrivals.find(seq) : null, now: Date.now() };
  }

  /** For `/api/status`. */
  details(): LogDetails {
    const now = Date.now();
    return describeLog(
      {
        overview: this.overview(),
        head: this.#history.position,
        cursor: this.#history.state.cursor,
        reach: this.#history.reach(),
        storageBytes: this.ctx.storage.sql.databaseSize,
        heardAt: this.#listeners.lastHeardAt,
        controls: this.#listeners.states,
        hubs: this.#fanOut.clientsByHub(),
        plan: this.#planner.plan,
      },
      now,
    );
  }

  override async alarm(): Promise<void> {
    if (this.#fanOut.connectedClients === 0) return;
    if (this.#planner.count(this.#fanOut.clientsByHub(), Date.now())) this.#tellSoon();
    if (this.#listeners.status === "down") {
      this.#tellSoon();
      await this.#readOutbox();
      await this.ctx.storage.setAlarm(Date.now() + FALLBACK_EVERY_MS);
    } else {
      await this.ctx.storage.setAlarm(this.#listeners.fallbackAt);
    }
    // One that lost its clients and its memory at once never says so, and would hold the database awake for ever.
    this.#fanOut.ask(Date.now() - HUB_SILENT_MS);
  }

  #store(delivery: Delivery, carrier: Carrier): boolean {
    const now = Date.now();
    const result = this.#history.append(delivery, now, newEpoch);
    if (result.kind === "conflict") return false;
    if (result.kind === "restarted") {
      logEvent(delivery.restart === undefined ? "info" : "warn", "a new epoch begins, clients reload", {
        reason: delivery.restart ?? "the first delivery",
        position: this.#history.state.position,
      });
      this.#arrivals.clear();
      this.#recent.clear();
      this.#fanOut.deliver();
      return true;
    }
    if (delivery.last !== null) {
      this.#lagMs = Math.max(0, now - Date.parse(delivery.last.timestamp));
      this.#arrivals.add(result.batch, { storedAt: now, readAt: delivery.readAt ?? null, carrier });
      this.#recent.add(result.batch);
      this.#fanOut.deliver(result.batch);
      recordBatch(this.env, delivery.changes.length, result.batch.text.length, this.#lagMs);
    }
    return true;
  }

  /** One at a time: a write of the API during a round waits for that round, which may have begun before the write. */
  async #readOutbox(): Promise<void> {
    await this.#reading;
    this.#reading ??= this.#readPages().finally(() => {
      this.#reading = null;
    });
    await this.#reading;
  }

  async #readPages(): Promise<void> {
    try {
      await readPages(
        openDatabase(this.env, this.ctx),
        () => this.#history.state,
        (delivery) => this.#store(delivery, "log"),
      );
    } catch (error) {
      // Once a round, so at most every two seconds.
      logError("no listener, and the outbox could not be read either; trying again", error, {
        againInMs: FALLBACK_EVERY_MS,
      });
    }
  }

  #heard(): void {
    if (this.#listeners.heard()) this.#tellSoon();
  }

  #status(): LogStatus {
    return {
      connectedClients: this.#fanOut.connectedClients,
      listener: this.#listeners.status,
      lagMs: this.#lagMs,
      plan: this.#planner.plan,
    };
  }

  #hubChanged(name: string, report: HubReport | null): void {
    this.#hubs.keep(name, report);
    this.#planner.count(this.#fanOut.clientsByHub(), Date.now());
    this.#listeners.tellWatchers();
    if (report !== null) void this.#watchListener();
    this.#tellSoon();
  }

  async #watchListener(): Promise<void> {
    const due = Math.max(Date.now(), this.#listeners.fallbackAt);
    const set = await this.ctx.storage.getAlarm();
    if (set === null || set > due) await this.ctx.storage.setAlarm(due);
  }

  #tellSoon(): void {
    if (this.#tellTimer !== null) return;
    const wait = Math.max(0, this.#toldAt + TELL_EVERY_MS - Date.now());
    this.#tellTimer = setTimeout(() => {
      this.#tellTimer = null;
      const status = this.#status();
      if (!worthTelling(this.#told, status)) return;
      this.#told = status;
      this.#toldAt = Date.now();
      this.#fanOut.tell(status);
    }, wait);
  }
}
