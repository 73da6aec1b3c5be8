/** Where a listener sits: its own way to Postgres, its own way to the Worker, and the process, when there is one. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { PROJECT_DIR } from "../../dev/config.ts";
import type { Guard } from "../../dev/guard.ts";
import { openGate, type Gate } from "./gate.ts";
import { openLink, type Link } from "./link.ts";
import type { Logbook } from "./logbook.ts";

export interface Seat {
  readonly name: string;
  readonly toPostgres: Link;
  readonly toWorker: Gate;
  readonly running: boolean;
  /** Starts a listener, unless there is one. Does not wait for it. With `direct` it goes to Postgres with nothing in between. */
  start(direct?: boolean): void;
  /** SIGKILL or SIGTERM, and waits for the end. Does nothing when there is none. */
  end(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
  /** SIGSTOP: it holds its connections and does nothing. */
  pause(): void;
  resume(): void;
  close(): Promise<void>;
}

export interface SeatOptions {
  readonly name: string;
  readonly databaseUrl: string;
  readonly workerPort: number;
  readonly env: Readonly<Record<string, string>>;
  readonly logbook: Logbook;
  readonly guard: Guard;
  readonly onLine?: (line: string) => void;
}

export async function makeSeat({
  name,
  databaseUrl,
  workerPort,
  env,
  logbook,
  guard,
  onLine,
}: SeatOptions): Promise<Seat> {
  const toPostgres = await openLink(Number(new URL(databaseUrl).port));
  const toWorker = await openGate(workerPort);
  const url = new URL(databaseUrl);
  url.port = String(toPostgres.port);
  let child: ChildProcess | null = null;
  let exited: Promise<unknown> = Promise.resolve();

  const signal = (name: NodeJS.Signals): void => void child?.kill(name);
  const seat: Seat = {
    name,
    toPostgres,
    toWorker,
    get running() {
      return child !== null;
    },
    start(direct = false) {
      if (child !== null) return;
      const mine = spawn(process.execPath, [join(PROJECT_DIR, "listener/main.ts")], {
        env: {
          PATH: process.env["PATH"],
          DATABASE_URL: direct ? databaseUrl : url.href,
          WORKER_URL: toWorker.url,
          ...env,
        },
        stdio: ["ignore", "pipe", "pipe"],
        detached: true,
      });
      const { pid } = mine;
      if (pid === undefined) throw new Error("the listener could not be started");
      child = mine;
      guard.watch(pid, "group");
      exited = once(mine, "close").then(() => {
        guard.forget(pid);
        if (child === mine) child = null;
      });
      for (const stream of [mine.stdout, mine.stderr]) {
        createInterface({ input: stream }).on("line", (line) => {
          logbook.add(`listener ${pid}`, line);
          onLine?.(line);
        });
      }
    },
    async end(name) {
      signal(name);
      await exited;
    },
    pause: () => signal("SIGSTOP"),
    resume: () => signal("SIGCONT"),
    async close() {
      await seat.end("SIGKILL");
      toPostgres.close();
      toWorker.close();
    },
  };
  return seat;
}
