/** What everyone may know of the whole: counted by the ChangeLog, told by the Hubs. */
import type { ListenerStatus } from "../../protocol/messages.ts";

export interface LogStatus {
  readonly connectedClients: number;
  readonly listener: ListenerStatus;
  /** From the statement in the database to the log, by the two clocks, of the last batch; null before the first. */
  readonly lagMs: number | null;
}

/** What `/health` shows. */
export interface LogOverview extends LogStatus {
  position: string;
}

/** Whether a difference is worth a frame to everyone: the lag alone is not. */
export function worthTelling(before: LogStatus | null, after: LogStatus): boolean {
  return before?.connectedClients !== after.connectedClients || before.listener !== after.listener;
}
