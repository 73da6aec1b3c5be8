/** The listener as users run it: a process of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { PROJECT_DIR } from "../../dev/config.ts";

/** The lines that only a listener with a database and a Worker writes. */
const DELIVERS = /"msg":"(caught up|delivered)"/;

export interface ListenerProcess {
  readonly pid: number;
  /** Resolves when it has carried over what there was to carry; rejects when it ends before. */
  readonly delivers: Promise<void>;
  /** Sends the signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** @param env all of its environment, beside PATH. */
export function startListenerProcess(
  env: Readonly<Record<string, string>>,
  onLine: (line: string) => void,
): ListenerProcess {
  const child = spawn(process.execPath, [join(PROJECT_DIR, "listener/main.ts")], {
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("the listener did not start");
  const delivers = Promise.withResolvers<void>();
  delivers.promise.catch(() => undefined); // Not everyone waits for it.
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      onLine(line);
      if (DELIVERS.test(line)) delivers.resolve();
    });
  }
  const exited = once(child, "close");
  void exited.then(() => delivers.reject(new Error("the listener ended before it delivered")));
  return {
    pid,
    delivers: delivers.promise,
    async end(signal) {
      child.kill(signal);
      await exited;
    },
  };
}
