/** What the log knows of a probe. */
import type { Arrival } from "../change-log/arrivals.ts";
import { SEPARATOR } from "../change-log/history.ts";
import type { Env } from "../env.ts";
import { changeLog } from "../objects.ts";
import type { Position } from "../../protocol/position.ts";
import { offsetOf, type ClockOffset } from "./hops.ts";

const READ_CHARS = 1_000_000;
/** So much is looked through for a change that did not come. */
const READS = 10;

/** When the change at this position came there, and how far the log's clock is ahead of ours. */
export async function arrivalIn(
  env: Env,
  position: Position,
): Promise<{ arrival: Arrival | null; logClock: ClockOffset }> {
  const sentAt = Date.now();
  const { arrival, now } = await changeLog(env).arrival(position);
  return { arrival, logClock: offsetOf({ sentAt, receivedAt: Date.now(), at: now }) };
}

/** The position of the change that has this text in it, after `since`; null when the log has none. */
export async function findInLog(env: Env, since: Position, text: string): Promise<Position | null> {
  for (let [seq, reads] = [since.seq, 0]; reads < READS; reads += 1) {
    const result = await changeLog(env).read({ epoch: since.epoch, seq }, READ_CHARS);
    if (!result.ok) return null; // it has begun anew
    const { batch, head } = result;
    const index = batch.text.split(SEPARATOR).findIndex((change) => change.includes(text));
    if (index >= 0) return { epoch: batch.epoch, seq: batch.from + index + 1 };
    if (batch.to === head.seq) return null;
    seq = batch.to;
  }
  return null;
}
