/**
 * A Hub's place in the whole: who hands on to it (the ChangeLog, or a Hub of a higher level), whether that one knows of
 * it, and what the log last told of itself. Registered from the first client on until the last has gone; when the shape
 * of the whole changes, it goes over to another.
 */
import type { HubReport } from "../change-log/fan-out.ts";
import type { ReadResult } from "../change-log/history.ts";
import type { LogStatus } from "../change-log/status.ts";
import type { Position } from "../../protocol/position.ts";
import { formatHubName, parseHubName, type HubName } from "./region.ts";
import { parentOf, shardsOf, type Plan } from "./tree.ts";

/** What stands above a Hub. */
export interface Upstream {
  join(name: string, report: HubReport): Promise<{ position: Position; status: LogStatus }>;
  report(name: string, report: HubReport): Promise<void>;
  read(since: Position, maxChars: number): Promise<ReadResult & { head: Position }>;
}

interface Dependencies {
  /** Null for the ChangeLog. */
  call(parent: HubName | null): Upstream;
  /** How many clients are here, and on their way in. */
  clients(): number;
  /** It has gone over to another, who stands at `position`: what came between the two was pushed by neither. */
  moved(position: Position): Promise<void>;
  warn(event: string, details: Record<string, unknown>): void;
}

/** Counts of clients go up this much after a change. */
const REPORT_MS = 200;
/** The plan may change again while a Hub goes where it was sent. */
const MAX_MOVES = 5;

const PARENT_KEY = "parent";
const SHARDS_KEY = "shards";

export class Membership {
  readonly #name: HubName;
  readonly #kv: SyncKvStorage;
  readonly #deps: Dependencies;
  /** Shards of the region, as they were before the log has been heard. */
  #keptShards: number;
  /** With whom it is registered; undefined for nobody, null for the ChangeLog. */
  #parent: HubName | null | undefined = undefined;
  #status: LogStatus | null = null;
  #joinedAt = 0;
  #moving: Promise<void> | null = null;
  #reportTimer: ReturnType<typeof setTimeout> | null = null;
  #lastReportAt = 0;

  /** @param isKnown true for a Hub that wakes with clients: the first of them had seen to its registration. */
  constructor(name: HubName, kv: SyncKvStorage, isKnown: boolean, deps: Dependencies) {
    this.#name = name;
    this.#kv = kv;
    this.#deps = deps;
    this.#keptShards = kv.get<number>(SHARDS_KEY) ?? 1;
    const parent = kv.get<string>(PARENT_KEY);
    if (isKnown) this.#parent = parent === undefined ? null : parseHubName(parent);
  }

  /** Null until the log has been heard. */
  get status(): LogStatus | null {
    return this.#status;
  }

  get plan(): Plan {
    return this.#status?.plan ?? { [this.#name.region]: { shards: this.#keptShards, clients: 0 } };
  }

  get isJoined(): boolean {
    return this.#parent !== undefined;
  }

  /** ms since 1970. */
  get joinedAt(): number {
    return this.#joinedAt;
  }

  get upstream(): Upstream {
    return this.#deps.call(this.#parent ?? null);
  }

  /** What was told from above. */
  heard(status: LogStatus): void {
    this.#take(status);
    if (this.#parent === undefined || isSame(this.#parent, parentOf(this.#name, this.plan))) return;
    this.#moving ??= this.#move().finally(() => {
      this.#moving = null;
    });
  }

  /** Registers, or says that it is still here. Returns where the one above stands. */
  async join(): Promise<Position> {
    for (let moves = 0; ; moves += 1) {
      const parent = parentOf(this.#name, this.plan);
      const { position, status } = await this.#deps
        .call(parent)
        .join(formatHubName(this.#name), this.report());
      this.#take(status);
      this.#settle(parent);
      if (isSame(parent, parentOf(this.#name, this.plan)) || moves === MAX_MOVES) return position;
    }
  }

  /** Nobody pushes here any more, or is to. */
  forget(): void {
    this.#parent = undefined;
  }

  reportSoon(): void {
    this.#reportTimer ??= setTimeout(() => {
      this.#reportTimer = null;
      const report = this.report();
      this.#tell(this.#parent ?? null, report);
      if (report.clients === 0) this.forget();
    }, REPORT_MS);
  }

  report(): HubReport {
    return this.#reportOf(this.#deps.clients());
  }

  async #move(): Promise<void> {
    try {
      await this.#deps.moved(await this.join());
    } catch (error) {
      // It stays with the one that it had, which pushes on; the next check-in tries again.
      this.#warn("could not go over to another hub", error);
    }
  }

  /** The one above that it had counts it no longer: only then is it counted where it is now. */
  #settle(parent: HubName | null): void {
    const former = this.#parent;
    this.#parent = parent;
    this.#joinedAt = Date.now();
    if (former !== undefined && isSame(former, parent)) return;
    if (parent === null) this.#kv.delete(PARENT_KEY);
    else this.#kv.put(PARENT_KEY, formatHubName(parent));
    if (former !== undefined) this.#tell(former, this.#reportOf(0));
  }

  #take(status: LogStatus): void {
    this.#status = status;
    const shards = shardsOf(this.plan, this.#name.region);
    if (shards === this.#keptShards) return;
    this.#keptShards = shards;
    this.#kv.put(SHARDS_KEY, shards);
  }

  #tell(parent: HubName | null, report: HubReport): void {
    this.#deps
      .call(parent)
      .report(formatHubName(this.#name), report)
      .catch((error: unknown) => this.#warn("could not report clients; the next check-in will", error));
  }

  #reportOf(clients: number): HubReport {
    this.#lastReportAt = Math.max(this.#lastReportAt + 1, Date.now());
    return { clients, at: this.#lastReportAt };
  }

  #warn(event: string, error: unknown): void {
    this.#deps.warn(event, { hub: formatHubName(this.#name), error: String(error) });
  }
}

function isSame(a: HubName | null, b: HubName | null): boolean {
  return a === b || (a !== null && b !== null && formatHubName(a) === formatHubName(b));
}
