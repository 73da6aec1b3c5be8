/** What everyone may know of the whole: counted by the ChangeLog, told by the Hubs. */
import type { ListenerStatus, ServerMessage } from "../../protocol/messages.ts";
import { REGIONS } from "../hub/region.ts";
import { shardsOf, type Plan } from "../hub/tree.ts";

export interface LogStatus {
  readonly connectedClients: number;
  readonly listener: ListenerStatus;
  /** From the statement in the database to the log, by the two clocks, of the last batch; null before the first. */
  readonly lagMs: number | null;
  /** How the hubs are laid out. Absent when the log is of a version that knew of no such thing. */
  readonly plan?: Plan;
}

/** What `/health` shows. */
export interface LogOverview extends Omit<LogStatus, "plan"> {
  position: string;
}

/** What clients are told. */
export function statusMessage({ connectedClients, listener, lagMs }: LogStatus): ServerMessage {
  return { type: "status", connectedClients, listener, lagMs };
}

/** Whether a difference is worth a frame to everyone: the lag alone is not. */
export function worthTelling(before: LogStatus | null, after: LogStatus): boolean {
  return (
    before?.connectedClients !== after.connectedClients ||
    before.listener !== after.listener ||
    REGIONS.some((region) => shardsOf(before.plan ?? {}, region) !== shardsOf(after.plan ?? {}, region))
  );
}
