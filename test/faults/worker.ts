/** The Worker as the suite runs it: killed, started on what it left, its objects evicted, its storage deleted. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { PROJECT_DIR } from "../../dev/config.ts";
import type { Guard } from "../../dev/guard.ts";
import { bundleWorker } from "../../dev/wrangler.ts";

/** What the program is told at its start. */
export interface WorkerOrder {
  readonly port: number;
  readonly folder: string;
  readonly bindings: Readonly<Record<string, string>>;
}
/** What it says. */
export type WorkerWord = { readonly ready: true } | { readonly evicted: number; readonly error?: string };

export interface Worker {
  readonly port: number;
  /** SIGKILL to workerd and all around it. Does nothing when it is down. */
  kill(): Promise<void>;
  /** Starts it on the storage that is there; resolves when it answers. */
  start(): Promise<void>;
  /** Takes an object's memory. An object that is not in memory is left alone. */
  evict(className: "Hub" | "ChangeLog", webSockets: "close" | "hibernate", name?: string): Promise<void>;
  /** What every Hub does from now on when it is pushed to, until the Worker is started again. */
  pushes(should: "work" | "fail" | "hang"): Promise<void>;
  /** With the Worker down: what the ChangeLog has stored is gone. */
  deleteLog(): Promise<void>;
}

const START_MS = 30_000;
/** `evictDurableObject` waits for 30 s when something holds the object; then it gives up, and so do we. */
const EVICT_MS = 35_000;

export interface WorkerOptions {
  readonly port: number;
  readonly folder: string;
  readonly bindings: Readonly<Record<string, string>>;
  readonly onLine: (line: string) => void;
  readonly guard: Guard;
}

/** The Worker, not started yet. Its bundle is built first, which takes some seconds. */
export async function prepareWorker({
  port,
  folder,
  bindings,
  onLine,
  guard,
}: WorkerOptions): Promise<Worker> {
  await bundleWorker(join(folder, "bundle"));
  await mkdir(join(folder, "tmp"), { recursive: true });
  const order: WorkerOrder = { port, folder, bindings };
  let child: ChildProcess | null = null;
  let calls = 0;
  return {
    port,
    async start() {
      const mine = fork(fileURLToPath(new URL("worker-main.ts", import.meta.url)), [JSON.stringify(order)], {
        cwd: PROJECT_DIR,
        stdio: ["ignore", "pipe", "pipe", "ipc"],
        detached: true,
        // What a killed Miniflare leaves behind goes with the folder.
        env: { ...process.env, TMPDIR: join(folder, "tmp") },
      });
      child = mine;
      mine.setMaxListeners(0); // one for each object that is being taken away
      const { pid } = mine;
      if (pid === undefined) throw new Error("the Worker could not be started");
      guard.watch(pid, "group");
      mine.on("error", () => undefined); // told by the missing `ready`
      mine.once("exit", () => guard.forget(pid));
      for (const stream of [mine.stdout, mine.stderr])
        if (stream) createInterface({ input: stream }).on("line", onLine);
      await once(mine, "message", { signal: AbortSignal.timeout(START_MS) });
    },
    async kill() {
      const mine = child;
      child = null;
      if (mine?.pid === undefined || mine.exitCode !== null || mine.signalCode !== null) return;
      const exited = once(mine, "exit");
      process.kill(-mine.pid, "SIGKILL");
      await exited;
    },
    async evict(className, webSockets, name = className === "Hub" ? "enam:0" : "main") {
      const mine = child;
      if (!mine?.connected) return;
      const id = ++calls;
      const answered = new Promise<void>((resolve) => {
        const listen = (word: WorkerWord): void => {
          if (!("evicted" in word) || word.evicted !== id) return;
          mine.off("message", listen);
          resolve();
        };
        mine.on("message", listen);
      });
      mine.send({ id, className, name, webSockets });
      const over = new AbortController();
      const { signal } = over;
      const ends = [answered, once(mine, "exit", { signal }), sleep(EVICT_MS, undefined, { signal })];
      await Promise.race(ends).finally(() => over.abort());
      await Promise.allSettled(ends.slice(1));
    },
    async pushes(should) {
      // A Worker that is down has forgotten it anyway when it is back.
      await fetch(`http://127.0.0.1:${port}/suite/pushes?should=${should}`).catch(() => undefined);
    },
    deleteLog: () => rm(join(folder, "objects/do/rowcast-ChangeLog"), { recursive: true, force: true }),
  };
}
