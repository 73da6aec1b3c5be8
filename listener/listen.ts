/** One connection to Postgres after the other, for ever. */
import { setTimeout as sleep } from "node:timers/promises";
import { isAway } from "./away.ts";
import { connect, describe } from "./database.ts";
import { serve } from "./drain.ts";
import type { World } from "./drain.ts";

/**
 * Carries changes from Postgres to the ChangeLog until `stop` aborts; then it resolves. Every fault on either side is
 * waited out.
 */
export async function listen(world: World, stop: AbortSignal): Promise<void> {
  const { config, doorbell, report, postgresBackoff, vigil, meter } = world;
  const { log, counters } = report;
  while (!stop.aborted) {
    try {
      await vigil.untilAwake(stop);
      const database = await connect({
        url: config.DATABASE_URL,
        answerTimeoutMs: config.ANSWER_TIMEOUT_MS,
        onRing: () => {
          counters.rings++;
          if (doorbell.rung) counters.spared++;
          doorbell.ring();
        },
        signal: stop,
      });
      counters.connections++;
      log.info({ host: hostOf(config.DATABASE_URL) }, "connected to Postgres");
      if (!database.hears) {
        log.warn("NOTIFY does not come through: is a pooler in between? Changes wait for the keepalive");
      }
      meter.connected(database);
      try {
        await serve(world, database);
      } finally {
        meter.lost();
        database.close();
      }
    } catch (error) {
      if (stop.aborted) return;
      vigil.tell({ type: "lost" });
      if (vigil.state.name === "asleep") continue; // Nobody watches, and connecting again would wake the database.
      const retryInMs = isAway(error) ? postgresBackoff.knock() : postgresBackoff.next();
      const reason = error instanceof Error ? describe(error) : String(error);
      report.fault("reconnecting to Postgres", { reason, retryInMs });
      await sleep(retryInMs, undefined, { signal: stop }).catch(() => {}); // Stopped: the loop sees it.
    }
  }
}

function hostOf(url: string): string {
  const { host, searchParams } = new URL(url);
  return searchParams.get("host") ?? host;
}
