/**
 * What makes sure that nothing is left when this process is killed without a chance to stop (SIGKILL, out of memory): a
 * small process beside it that knows what was started. It learns of our end by the closing of its input.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** How a started process is asked to end: its whole group by SIGTERM, or a Postgres server, alone, by SIGINT. */
export type Kind = "group" | "postgres";

export interface Guard {
  watch(pid: number, kind: Kind): void;
  forget(pid: number): void;
  /** Ends the guard; what it still watches is ended by it. */
  release(): void;
}

export function startGuard(): Guard {
  const child = spawn(process.execPath, [fileURLToPath(new URL("guard-main.ts", import.meta.url))], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  child.on("error", () => undefined); // Without it everything works but the cleaning up after a SIGKILL.
  child.stdin.on("error", () => undefined); // It has gone: as above.
  child.unref();
  return {
    watch: (pid, kind) => void child.stdin.write(`${kind} ${pid}\n`),
    forget: (pid) => void child.stdin.write(`forget ${pid}\n`),
    release: () => child.stdin.end(),
  };
}
