/** `npm start` as a process of its own, on ports and in a folder of its own. */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { PROJECT_DIR } from "../../dev/config.ts";

export interface StartProcess {
  readonly pid: number;
  readonly lines: readonly string[];
  /** Resolves with the first line, past or future, that matches; rejects when the process ends without one. */
  line(pattern: RegExp): Promise<string>;
  readonly exitCode: Promise<number | null>;
}

/** Starts it with `variables` over the environment. The dashboard is not built: other tests serve it meanwhile. */
export function runStart(variables: Readonly<Record<string, string>>): StartProcess {
  const { DATABASE_URL: _ours, npm_lifecycle_event: _npm, ...environment } = process.env;
  const child = spawn(process.execPath, ["dev/start.ts"], {
    cwd: PROJECT_DIR,
    env: { ...environment, ROWCAST_SKIP_BUILD: "1", ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  let ended = false;
  const wake = () => waiting.forEach((check) => check());
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on("line", (line) => {
      lines.push(line);
      wake();
    });
  }
  const exitCode = new Promise<number | null>((resolve) => {
    child.once("close", (code) => {
      ended = true;
      wake();
      resolve(code);
    });
  });
  return {
    pid: child.pid ?? -1,
    lines,
    exitCode,
    line: (pattern) =>
      new Promise((resolve, reject) => {
        const check = () => {
          const found = lines.find((line) => pattern.test(line));
          if (found === undefined && !ended) return;
          waiting.delete(check);
          if (found === undefined) reject(new Error(`no line like ${pattern}:\n${lines.join("\n")}`));
          else resolve(found);
        };
        waiting.add(check);
        check();
      }),
  };
}

/** The numbers of the processes whose command line or environment names `text`. Linux only. */
export function processesNaming(text: string): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid)
    .filter((pid) =>
      [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`].some((path) => read(path).includes(text)),
    );
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // It has gone, or it is not ours to look at.
  }
}
