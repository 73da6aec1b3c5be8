/** The programs of the stack: what each is run with, and when it counts as started. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { BuildMessage } from "./build.ts";
import { PROJECT_DIR, type Variables } from "./config.ts";
import { formatEnvFile } from "./env-file.ts";
import type { Guard } from "./guard.ts";
import { readable, type Say } from "./output.ts";
import type { Logins } from "./logins.ts";
import { findWrangler } from "./wrangler.ts";
import { startPart, type Part } from "./part.ts";
import { StartError } from "./start-error.ts";

const WORKER_TIMEOUT_MS = 60_000;
const POLL_MS = 50;
/** What wrangler says of itself, and the requests of the stack's own parts while they go well. */
const WORKER_CHATTER =
  /^\s*$|^(Your Worker has access|Binding |env\.|⎔ |Using secrets|\[custom build\] Running)|Parsed \d+ valid|Ready on |(GET|POST) \/(health|internal\/changes) 200/;
/** The lines of the listener's log that only one with a database and a Worker writes. A first start writes both. */
const DELIVERY = /"msg":"(caught up|delivered)"/;

export interface PartContext {
  readonly port: number;
  /** Where the other parts find the Worker. */
  readonly url: string;
  readonly dataDir: string;
  /** Each part has what it needs of the database. */
  readonly logins: Logins;
  readonly variables: Variables;
  readonly listenerVariables?: Variables;
  readonly say: Say;
  readonly guard: Guard;
  /** Aborted when the stack is stopped, so that no start is waited for any longer. */
  readonly signal: AbortSignal;
}

/** The build of the dashboard, once now and again on every change. Started when the first build is there. */
export async function startWeb({ say, guard, signal }: PartContext): Promise<Part> {
  const first = Promise.withResolvers<boolean>();
  const part = await startPart({
    node: ["dev/build.ts", "--watch"],
    cwd: PROJECT_DIR,
    env: { ...process.env, NODE_ENV: "production" },
    guard,
    onLine: (line) => {
      if (line.trim() !== "") say("web", line);
    },
    onMessage: (message) => first.resolve((message as BuildMessage).built),
  });
  const built = await orStop(part, signal, first.promise);
  if (!built) {
    await part.stop();
    throw new StartError("The dashboard could not be built: see above.");
  }
  return part;
}

/** The Worker under `wrangler dev`, offline, with its local storage in the data folder. Started when it answers. */
export async function startWorker(context: PartContext): Promise<Part> {
  const { port, url, dataDir, logins, variables, say, guard, signal } = context;
  await mkdir(dataDir, { recursive: true });
  const envFile = join(dataDir, "worker.env");
  // Instead of .dev.vars, which wrangler does not read then: the values that hold for this stack.
  await writeFile(envFile, formatEnvFile({ ...variables, DATABASE_URL: logins.api }), { mode: 0o600 });
  const part = await startPart({
    node: [
      findWrangler(),
      "dev",
      "--ip=127.0.0.1",
      `--port=${port}`,
      "--inspector-port=0",
      `--persist-to=${join(dataDir, "worker")}`,
      `--env-file=${envFile}`,
      "--show-interactive-dev-session=false",
    ],
    cwd: PROJECT_DIR,
    env: {
      ...process.env,
      ROWCAST_SKIP_BUILD: "1",
      WRANGLER_REGISTRY_PATH: join(dataDir, "registry"),
      WRANGLER_LOG_PATH: join(dataDir, "logs"),
      // Everything that would be asked of the internet.
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_SEND_ERROR_REPORTS: "false",
      WRANGLER_HIDE_BANNER: "true",
    },
    guard,
    onLine: (line) => {
      if (!WORKER_CHATTER.test(line)) say("worker", line);
    },
  });
  await orStop(part, signal, untilAnswers(url, part, signal));
  say("worker", `ready on port ${port}`);
  return part;
}

export interface ListenerPart extends Part {
  /** Resolves when it has carried over what there was to carry. */
  readonly delivers: Promise<void>;
  /** Resolves when it has said all that it says of that. */
  readonly settled: Promise<void>;
}

/** The listener. Started when its process is: a restart while the database is away must not wait for it. */
export async function startListener(context: PartContext): Promise<ListenerPart> {
  const { url, logins, variables, listenerVariables, say, guard } = context;
  const delivers = Promise.withResolvers<void>();
  const settled = Promise.withResolvers<void>();
  const said = new Set<string>();
  const part = await startPart({
    node: ["listener/main.ts"],
    cwd: PROJECT_DIR,
    env: {
      ...process.env,
      ...listenerVariables,
      DATABASE_URL: logins.listener,
      WORKER_URL: url,
      INGEST_SECRET: variables["INGEST_SECRET"],
    },
    guard,
    onLine: (line) => {
      say("listener", readable(line));
      const what = DELIVERY.exec(line)?.[1];
      if (what === undefined) return;
      delivers.resolve();
      if (said.add(what).size === 2) settled.resolve();
    },
  });
  return { ...part, delivers: delivers.promise, settled: settled.promise };
}

/** What is waited for, or the failure when the part ends or the stack is stopped before that. */
export async function orStop<T>(part: Part, signal: AbortSignal, awaited: Promise<T>): Promise<T> {
  const ended = part.exited.then((how) => {
    throw new StartError(`A part ended while it was starting (${how}): see above.`);
  });
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason as Error);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([awaited, ended, aborted.promise]);
  } catch (error) {
    await part.stop();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

async function untilAnswers(url: string, part: Part, signal: AbortSignal): Promise<void> {
  const ended = new AbortController();
  void part.exited.then(() => ended.abort());
  const deadline = AbortSignal.any([signal, ended.signal, AbortSignal.timeout(WORKER_TIMEOUT_MS)]);
  for (;;) {
    const answer = await fetch(new URL("/health", url), { signal: deadline }).catch(() => null);
    await answer?.body?.cancel();
    if (answer !== null && answer.status < 500) return;
    if (deadline.aborted)
      throw new StartError(`The Worker did not answer within ${WORKER_TIMEOUT_MS / 1000} s: see above.`);
    await delay(POLL_MS);
  }
}
