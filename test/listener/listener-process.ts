/** The listener as its users run it: a process of its own, seen through its log lines and its exit. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { SECRET } from "./change-log-stand-in.ts";

const MAIN = fileURLToPath(new URL("../../listener/main.ts", import.meta.url).href);

export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

export interface ListenerProcess {
  readonly pid: number;
  readonly lines: LogLine[];
  /** The first line with this event, past or to come, that `matches`. Rejects when the process ends before. */
  line(event: string, matches?: (line: LogLine) => boolean): Promise<LogLine>;
  /** Sends the signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<Exit>;
  /** What the process came to. */
  readonly exited: Promise<Exit>;
  /** The most memory that it ever held, in bytes. Linux only; elsewhere null. */
  peakMemory(): Promise<number | null>;
}

export interface Exit {
  readonly code: number | null;
  /** From the start of `end` on; 0 when it ended by itself. */
  readonly ms: number;
  readonly stderr: string;
}

/** Starts a listener that is gone, one way or another, when the test is over. `env` replaces what is needed to run. */
export function startListener(env: Readonly<Record<string, string>>): ListenerProcess {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env["PATH"], INGEST_SECRET: SECRET, LOG_LEVEL: "debug", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("the listener did not start");
  const lines: LogLine[] = [];
  const looking = new Set<() => void>();
  createInterface({ input: child.stdout }).on("line", (text) => {
    lines.push(JSON.parse(text) as LogLine);
    for (const look of looking) look();
  });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  let endedAt: number | null = null;
  const exited = once(child, "close").then(([code]): Exit => {
    const ms = endedAt === null ? 0 : performance.now() - endedAt;
    return { code: code as number | null, ms, stderr };
  });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exited;
  });

  return {
    pid,
    lines,
    exited,
    line(event, matches = () => true) {
      const found = new Promise<LogLine>((resolve) => {
        const look = (): void => {
          const line = lines.find((line) => line.msg === event && matches(line));
          if (!line) return;
          looking.delete(look);
          resolve(line);
        };
        looking.add(look);
        look();
      });
      const ended = exited.then((exit) => {
        throw new Error(`the listener ended (${exit.code}) before "${event}": ${exit.stderr}`);
      });
      return Promise.race([found, ended]);
    },
    end(signal) {
      endedAt = performance.now();
      child.kill(signal);
      return exited;
    },
    async peakMemory() {
      const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
      const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
      return kilobytes === undefined ? null : Number(kilobytes) * 1024;
    },
  };
}
