/** The process of dev/guard.ts: reads what to watch, one a line, and when its input ends, ends what is left. */
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

const PATIENCE_MS = 8_000;
const POLL_MS = 100;

const watched = new Map<number, string>();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);

for await (const line of createInterface({ input: process.stdin })) {
  const [kind = "", pid] = line.split(" ");
  if (kind === "forget") watched.delete(Number(pid));
  else watched.set(Number(pid), kind);
}

for (const [pid, kind] of watched) send(pid, kind, kind === "postgres" ? "SIGINT" : "SIGTERM");
for (let waited = 0; waited < PATIENCE_MS && [...watched].some(([pid, kind]) => send(pid, kind, 0));) {
  await delay(POLL_MS);
  waited += POLL_MS;
}
// Killed outright, a Postgres server could leave children on its shared memory: SIGQUIT ends them all at once.
for (const [pid, kind] of watched) send(pid, kind, kind === "postgres" ? "SIGQUIT" : "SIGKILL");

/** Whether there was anybody to receive it. */
function send(pid: number, kind: string, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(kind === "group" ? -pid : pid, signal);
    return true;
  } catch {
    return false;
  }
}
