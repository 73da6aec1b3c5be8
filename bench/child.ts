/** Processes of the benchmark that are asked one thing at a time: fork, ask, answer. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Guard } from "../dev/guard.ts";

type Envelope<T> = { ok: true; reply: T } | { ok: false; error: string };

export interface Child<Request, Reply> {
  readonly pid: number;
  /** @throws {Error} when the child fails, ends, or does not answer within `timeoutMs`. */
  ask(request: Request, timeoutMs: number): Promise<Reply>;
  /** Ends it at once: it keeps nothing that matters. */
  kill(): void;
}

/** @param module beside this file, such as `./writers.ts`: it calls `serveParent`. */
export function startChild<Request, Reply>(module: string, guard: Guard): Child<Request, Reply> {
  const child = fork(fileURLToPath(new URL(module, import.meta.url)), {
    // A benchmark that outgrows this has failed; the machine shall not fail with it.
    execArgv: ["--max-old-space-size=1024"],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    serialization: "advanced",
    detached: true,
  });
  const pid = child.pid ?? -1;
  if (pid > 0) guard.watch(pid, "group");
  let ended: string | null = null;
  child.once("exit", (code, signal) => {
    ended = `${module} ended: ${signal ?? `exit code ${code}`}`;
    guard.forget(pid);
  });
  child.on("error", () => undefined); // `ask` tells: there is no answer
  return {
    pid,
    ask: (request, timeoutMs) =>
      new Promise((resolve, reject) => {
        const finish = (settle: () => void): void => {
          clearTimeout(timer);
          child.off("message", onMessage);
          child.off("exit", onExit);
          settle();
        };
        const onMessage = (message: unknown): void => {
          const envelope = message as Envelope<Reply>;
          finish(() =>
            envelope.ok ? resolve(envelope.reply) : reject(new Error(`${module}: ${envelope.error}`)),
          );
        };
        const onExit = (): void => finish(() => reject(new Error(ended ?? `${module} ended`)));
        const timer = setTimeout(
          () => finish(() => reject(new Error(`${module} gave no answer in ${timeoutMs} ms`))),
          timeoutMs,
        );
        child.on("message", onMessage);
        child.on("exit", onExit);
        if (ended !== null) return onExit();
        child.send(request as object);
      }),
    kill: () => void child.kill("SIGKILL"),
  };
}

/** In the child: answers what the parent asks, and ends when the parent has gone. */
export function serveParent(answer: (request: never) => Promise<unknown>): void {
  process.on("message", (request) => {
    answer(request as never).then(
      (reply) => process.send?.({ ok: true, reply } satisfies Envelope<unknown>),
      (error: unknown) => process.send?.({ ok: false, error: String(error) } satisfies Envelope<unknown>),
    );
  });
  process.once("disconnect", () => process.exit(0));
}
