/** The Hubs that a Hub of a higher level hands on to: the same fan-out as the ChangeLog's, fed by what is handed to it. */
import { FanOut } from "../change-log/fan-out.ts";
import { HubTable } from "../change-log/hub-table.ts";
import type { LogStatus } from "../change-log/status.ts";
import type { Env } from "../env.ts";
import { logEvent } from "../log.ts";
import { hub } from "../objects.ts";
import { readNumber } from "../settings.ts";
import type { Position } from "../../protocol/position.ts";
import type { Audience } from "./audience.ts";
import { parseHubName } from "./region.ts";

/** Before a Hub that hands on knows where it is. No epoch is empty. */
const NOWHERE: Position = { epoch: "", seq: 0 };

interface Above {
  readonly audience: Pick<Audience, "position" | "recent">;
  readonly status: () => LogStatus;
  /** There are more clients, or fewer. */
  readonly counted: () => void;
}

export function openBelow(env: Env, sql: SqlStorage, { audience, status, counted }: Above): FanOut {
  const table = new HubTable(sql);
  return new FanOut(
    {
      call: (name) => hub(env, parseHubName(name)),
      // What is not kept here any more, the one below pulls, and so it is read from further above.
      read: (since, maxChars) => {
        const batch = audience.recent(since, maxChars);
        return batch === null ? { ok: false, reason: "expired" } : { ok: true, batch };
      },
      head: () => audience.position ?? NOWHERE,
      status,
      changed: (name, report) => {
        table.keep(name, report);
        counted();
      },
      pushEveryMs: readNumber(env, "PUSH_EVERY_MS"),
      warn: (event, details) => logEvent("warn", event, details),
    },
    table.all(),
  );
}
