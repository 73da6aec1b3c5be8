/** What the log knows of itself, for `/api/status`. Pure: the numbers are put in, the words come out. */
import type { ListenerState } from "../../protocol/control.ts";
import { formatPosition, type Position } from "../../protocol/position.ts";
import { parseHubName } from "../hub/region.ts";
import type { Plan } from "../hub/tree.ts";
import type { HistoryReach } from "./history.ts";
import type { LogOverview } from "./status.ts";

export interface LogDetails extends LogOverview {
  /** Opaque, and never shown: what to ask the database with. */
  readonly cursor: string | null;
  /** How long ago the cursor moved, or a listener said that it had not to; null before the first time. */
  readonly cursorAgeMs: number | null;
  /** When a listener was last heard, ms since 1970; null for never. */
  readonly heardAt: number | null;
  /** What the listeners with a control socket say of themselves. */
  readonly controls: readonly ListenerState[];
  /** Clients, by the name of their hub. */
  readonly hubs: Readonly<Record<string, number>>;
  /** Clients, by region. */
  readonly regions: Readonly<Record<string, number>>;
  /** How many hubs hold the sockets of a region, where that is more than one. */
  readonly shards: Readonly<Record<string, number>>;
  readonly history: {
    /** The position from which on everything is here; a client that is older is reset. */
    readonly oldest: string;
    readonly changes: number;
    /** Of the whole storage, which is little else. */
    readonly bytes: number;
    /** Of the oldest change's batch; null for no history. */
    readonly ageMs: number | null;
  };
}

export interface Known {
  readonly overview: LogOverview;
  readonly head: Position;
  readonly cursor: string | null;
  readonly reach: HistoryReach;
  readonly storageBytes: number;
  /** ms since 1970; 0 for never. */
  readonly heardAt: number;
  readonly controls: readonly ListenerState[];
  readonly hubs: Iterable<readonly [name: string, clients: number]>;
  readonly plan: Plan;
}

export function describeLog(known: Known, now: number): LogDetails {
  const { overview, head, cursor, reach, storageBytes, heardAt, controls } = known;
  const hubs = Object.fromEntries(known.hubs);
  const regions: Record<string, number> = {};
  for (const [name, clients] of Object.entries(hubs)) {
    const { region } = parseHubName(name);
    regions[region] = (regions[region] ?? 0) + clients;
  }
  const movedAt = Math.max(heardAt, reach.newestAt ?? 0);
  return {
    ...overview,
    cursor,
    cursorAgeMs: cursor === null || movedAt === 0 ? null : Math.max(0, now - movedAt),
    heardAt: heardAt === 0 ? null : heardAt,
    controls,
    hubs,
    regions,
    shards: Object.fromEntries(Object.entries(known.plan).map(([region, { shards }]) => [region, shards])),
    history: {
      oldest: formatPosition({ epoch: head.epoch, seq: reach.first === null ? head.seq : reach.first - 1 }),
      changes: reach.first === null ? 0 : head.seq - reach.first + 1,
      bytes: storageBytes,
      ageMs: reach.oldestAt === null ? null : Math.max(0, now - reach.oldestAt),
    },
  };
}
