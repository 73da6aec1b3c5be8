/**
 * The whole way of a change on this machine: Postgres, the Worker, the listener, and the build of the dashboard. `npm
 * start` runs one; end-to-end tests run theirs.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { PROJECT_DIR, type LocalConfig, type Variables } from "./config.ts";
import { startGuard } from "./guard.ts";
import { takeLock } from "./lock.ts";
import { migrate } from "./migrate.ts";
import type { Say } from "./output.ts";
import { orStop, startListener, startWeb, startWorker } from "./parts.ts";
import { isPortFree } from "./ports.ts";
import { startPostgres } from "./postgres.ts";
import { probe } from "./probe.ts";
import { setLogins } from "./roles.ts";
import { insertSamples } from "./samples.ts";
import { StartError } from "./start-error.ts";
import { supervise, type Running } from "./supervise.ts";
import { watchHealth } from "./worker-health.ts";

/** How long the first change may take to make it through. */
const PROBE_TIMEOUT_MS = 60_000;
/** Of the server's log: not what it does from day to day, nor the errors of statements, which their senders are told. */
const WORTH_KNOWING =
  /^(WARNING|PANIC|FATAL): +(?!terminating connection|the database system is)|^(making|stopped) /;
/** So long its words are waited for, so that "ready" is the last one. */
const SETTLE_MS = 1_000;
/** What an abandoned stack may need to go, once its guard has noticed. */
const ABANDONED_GRACE_MS = 12_000;

export interface StackOptions extends LocalConfig {
  /**
   * The Worker's variables beside DATABASE_URL; INGEST_SECRET must be among them. Asked for when it is certain that
   * nothing else runs on the data folder.
   */
  readonly loadVariables: () => Promise<Variables>;
  /** Further variables of the listener. */
  readonly listenerVariables?: Variables;
  /** Build the dashboard and build it again on change, or serve what web/dist holds. */
  readonly buildWeb: boolean;
  readonly samples: boolean;
  /** Off only in tests, as with `startPostgres`. */
  readonly fsync?: boolean;
  readonly say: Say;
}

export type PartName = "postgres" | "web" | "worker" | "listener";

export interface Stack {
  readonly url: string;
  readonly databaseUrl: string;
  /** The process of a part, which leads a group of its own; undefined for one that this stack does not run. */
  pidOf(part: PartName): number | undefined;
  /** Brings everything up and resolves when a change has made it through. Stops what runs when that fails. */
  start(): Promise<void>;
  /** Resolves with what to tell when a part could not be kept running and all the others were stopped; never otherwise. */
  readonly failed: Promise<string>;
  /** Stops everything, in order, at any time; resolves when no process is left. */
  stop(): Promise<void>;
  /** Ends everything at once, with no regard for what it was doing. */
  kill(): void;
}

/** A stack that has not been started yet. */
export function createStack(options: StackOptions): Stack {
  const { port, pgPort, dataDir, databaseUrl, embedded, say } = options;
  const url = `http://127.0.0.1:${port}`;
  const stopping = new AbortController();
  const running = new Map<PartName, { readonly current: Running }>();
  const cleanups: (() => Promise<void> | void)[] = [];
  let starting: Promise<void> = Promise.resolve();
  let stopped: Promise<void> | null = null;
  const failure = Promise.withResolvers<string>();

  async function bringUp(): Promise<void> {
    const lock = await takeLock(dataDir, `process ${process.pid}, http://localhost:${port}`);
    cleanups.push(() => lock.release());
    await assertPortsFree(lock.wasAbandoned);
    const guard = startGuard();
    cleanups.push(() => guard.release());

    if (embedded) {
      await keep("postgres", async () => {
        const server = await startPostgres({
          dataDir: join(dataDir, "postgres"),
          port: pgPort,
          fsync: options.fsync ?? true,
          onLog: (line) => {
            if (WORTH_KNOWING.test(line)) say("postgres", line);
          },
        });
        guard.watch(server.pid, "postgres");
        void server.exited.then(() => guard.forget(server.pid));
        return server;
      });
    }
    say(
      "postgres",
      embedded ? `ready on 127.0.0.1:${pgPort}` : "yours, as DATABASE_URL says: none is started",
    );
    const applied = await unlessStopped(migrate(databaseUrl, { onLog: (line) => say("postgres", line) }));
    if (applied.length === 0) say("postgres", "the schema is up to date");
    if (options.samples) {
      const inserted = await unlessStopped(insertSamples(databaseUrl));
      if (inserted > 0) say("postgres", `${inserted} sample orders inserted`);
    }

    // In a database of the user's own, its login is used as it is: giving roles passwords there is for `npm run roles`.
    const logins = embedded
      ? await unlessStopped(setLogins(databaseUrl))
      : { api: databaseUrl, listener: databaseUrl };
    const variables = await unlessStopped(options.loadVariables());
    const context = { ...options, logins, variables, url, guard, signal: stopping.signal };
    if (options.buildWeb) await keep("web", () => startWeb(context));
    else await mkdir(join(PROJECT_DIR, "web", "dist"), { recursive: true }); // wrangler does not start without it.
    const worker = await keep("worker", () => startWorker(context));
    const health = watchHealth(url, () => {
      say("worker", "does not answer any more");
      worker.current.kill();
    });
    cleanups.push(() => health.stop());
    const listener = await keep("listener", () => startListener(context));

    const deadline = AbortSignal.any([stopping.signal, AbortSignal.timeout(PROBE_TIMEOUT_MS)]);
    // Both: without a listener the log reads the outbox itself after a while, and a change makes it through all the same.
    const [latencyMs] = await Promise.all([
      probe(databaseUrl, url, deadline),
      orStop(listener.current, deadline, listener.current.delivers),
    ]).catch((error: unknown) => {
      stopping.signal.throwIfAborted();
      throw new StartError(`No change made it from Postgres to the stream: ${String(error)}`, {
        cause: error,
      });
    });
    await Promise.race([listener.current.settled, delay(SETTLE_MS)]);
    say("rowcast", `a change in Postgres was on the stream ${latencyMs.toFixed(0)} ms later`);
  }

  async function keep<T extends Running>(name: PartName, start: () => Promise<T>) {
    stopping.signal.throwIfAborted();
    const part = await supervise(name, start, (line) => say(name, line));
    cleanups.push(() => part.stop());
    running.set(name, part);
    void part.ended.then(async (reason) => {
      if (reason === null) return;
      await stop();
      failure.resolve(reason);
    });
    return part;
  }

  async function unlessStopped<T>(work: Promise<T>): Promise<T> {
    const result = await work;
    stopping.signal.throwIfAborted();
    return result;
  }

  async function assertPortsFree(wait: boolean): Promise<void> {
    const wanted = [
      { port, name: "PORT", use: "the Worker" },
      ...(embedded ? [{ port: pgPort, name: "PG_PORT", use: "Postgres" }] : []),
    ];
    for (let waitedMs = 0; ; waitedMs += 250) {
      const free = await Promise.all(wanted.map(({ port }) => isPortFree(port)));
      const taken = wanted.find((_, index) => !free[index]);
      if (taken === undefined) return;
      if (!wait || waitedMs >= ABANDONED_GRACE_MS) {
        throw new StartError(
          `Port ${taken.port}, meant for ${taken.use}, is taken. Free it, or set ${taken.name} to another.`,
        );
      }
      if (waitedMs === 0) say("rowcast", "an earlier start was killed: waiting until its parts have gone");
      await delay(250);
      stopping.signal.throwIfAborted();
    }
  }

  function stop(): Promise<void> {
    stopped ??= (async () => {
      stopping.abort(new Error("the stack stops"));
      await starting.catch(() => undefined); // Whoever started it hears of that; here everything ends anyway.
      for (const cleanup of cleanups.toReversed()) await cleanup();
    })();
    return stopped;
  }

  return {
    url: `http://localhost:${port}`,
    databaseUrl,
    failed: failure.promise,
    pidOf: (part) => running.get(part)?.current.pid,
    async start() {
      starting = bringUp();
      try {
        await starting;
      } catch (error) {
        await stop();
        throw error;
      }
    },
    stop,
    kill() {
      stopping.abort(new Error("the stack is killed"));
      for (const { current } of running.values()) current.kill();
    },
  };
}
