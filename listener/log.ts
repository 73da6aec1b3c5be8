/** Structured logs on stdout: one line an event worth knowing, JSON unless a person reads along. */
import { destination, pino } from "pino";
import type { DestinationStream, Logger } from "pino";

export type { Logger } from "pino";

/** A logger whose lines are written at once: the last words before an exit are not lost. */
export async function createLog(level: string): Promise<Logger> {
  const options = { level, base: { name: "listener" } };
  const pretty = process.stdout.isTTY && process.env["NODE_ENV"] !== "production" ? await loadPretty() : null;
  return pino(options, pretty ?? destination({ fd: 1, sync: true }));
}

async function loadPretty(): Promise<DestinationStream | null> {
  try {
    const { PinoPretty } = await import("pino-pretty");
    return PinoPretty({ sync: true, ignore: "pid,hostname" });
  } catch {
    return null; // A development dependency: an installation without it logs JSON.
  }
}
