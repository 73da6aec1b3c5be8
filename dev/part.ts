/** A part of the stack: a program in a process group of its own, so that its children end with it. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import type { Guard } from "./guard.ts";
import { StartError } from "./start-error.ts";

/** How long a program may take to end itself before it is ended. */
const PATIENCE_MS = 4_000;
const POLL_MS = 25;

export interface Program {
  /** What is run with Node: a file and its arguments. */
  readonly node: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** One line of its output, standard or error. */
  readonly onLine: (line: string) => void;
  /** What it tells over the channel of `process.send`; without this there is no channel. */
  readonly onMessage?: (message: unknown) => void;
  readonly guard: Guard;
}

export interface Part {
  readonly pid: number;
  /** How it ended, in words: `exit code 1`, `SIGKILL`. */
  readonly exited: Promise<string>;
  /** Asks the whole group to end, insists after some seconds, and resolves when it has gone. */
  stop(): Promise<void>;
  /** Ends the whole group at once. */
  kill(): void;
}

/** @throws {StartError} when the program cannot be started at all. */
export async function startPart(program: Program): Promise<Part> {
  const { node, cwd, env, onLine, onMessage, guard } = program;
  const child = spawn(process.execPath, node, {
    cwd,
    env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe", ...(onMessage === undefined ? [] : (["ipc"] as const))],
  });
  const exited = new Promise<string>((resolve) => {
    child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (error) =>
      reject(new StartError(`${node[0]} could not be started: ${error.message}`)),
    );
  });
  const { pid } = child;
  if (pid === undefined) throw new StartError(`${node[0]} could not be started.`);
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on("line", onLine);
  }
  if (onMessage !== undefined) child.on("message", onMessage);

  guard.watch(pid, "group");
  void exited.then(async () => {
    // Whatever its children are, they must not outlive it: a worker without its server would hold the port.
    await endGroup(pid);
    guard.forget(pid);
  });
  return {
    pid,
    exited,
    kill: () => void signalGroup(pid, "SIGKILL"),
    async stop() {
      signalGroup(pid, "SIGTERM");
      await Promise.race([exited, delay(PATIENCE_MS)]);
      await endGroup(pid);
      await exited;
    },
  };
}

/** Leaves a moment to those who are on their way out, then ends the rest. */
async function endGroup(pid: number): Promise<void> {
  signalGroup(pid, "SIGTERM");
  // Bounded: where nobody reaps orphans (a container without an init), the dead stay in the group.
  for (let waited = 0; waited < 1000; waited += POLL_MS) {
    if (!signalGroup(pid, 0)) return;
    await delay(POLL_MS);
  }
  signalGroup(pid, "SIGKILL");
}

/** Whether the group has anybody in it. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}
