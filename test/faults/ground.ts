/** Everything that a run needs, in a temporary folder and on free ports; taken away again at the end. */
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startGuard } from "../../dev/guard.ts";
import { migrate } from "../../dev/migrate.ts";
import { findFreePort } from "../../dev/ports.ts";
import type { LogState } from "../../protocol/ingest.ts";
import { startCluster, type Cluster } from "./cluster.ts";
import { Logbook } from "./logbook.ts";
import { makeSeat, type Seat } from "./seat.ts";
import { prepareWorker, type Worker } from "./worker.ts";

const SECRET = "fault-suite-ingest-secret-0123456789";
const PATIENCE_MS = 60_000;

export interface Ground {
  readonly cluster: Cluster;
  readonly worker: Worker;
  /** Of the Worker itself, with nothing in between. */
  readonly url: string;
  readonly seats: readonly [Seat, Seat, Seat];
  readonly logbook: Logbook;
  /** Where the log stands, asked past all faults; null while the Worker is down. Also a sign of life of a listener to it. */
  logState(): Promise<LogState | null>;
  /** The log's position as clients see it; null while the Worker is down. */
  head(): Promise<string | null>;
  stop(): Promise<void>;
}

export interface GroundOptions {
  /** Variables of the Worker beside those of wrangler.toml, or instead of them. */
  readonly vars?: Readonly<Record<string, string>>;
  /** Variables of the listeners beside the needed ones. */
  readonly listener?: Readonly<Record<string, string>>;
  /** How many listeners are there from the start. */
  readonly listeners?: number;
  readonly onLine?: (source: string, line: string) => void;
}

/** Brings it up: some ten seconds. */
export async function layGround({
  vars = {},
  listener = {},
  listeners = 1,
  onLine = () => undefined,
}: GroundOptions = {}): Promise<Ground> {
  const guard = startGuard();
  const cleanups: (() => Promise<unknown>)[] = [async () => guard.release()];
  const stop = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  };
  try {
    const folder = await mkdtemp(join(tmpdir(), "rowcast-faults-"));
    await chmod(folder, 0o755); // mkdtemp closes it to the account that Postgres runs as when we are root.
    cleanups.push(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
    const logbook = new Logbook();
    const port = await findFreePort();
    const clusterReady = startCluster(folder, guard);
    const cluster = await clusterReady;
    cleanups.push(() => cluster.stop("immediate"));
    await migrate(cluster.url);
    await cluster.ask(await readFile(new URL("schema.sql", import.meta.url), "utf8"));
    const worker = await prepareWorker({
      port,
      folder,
      bindings: { DATABASE_URL: cluster.url, INGEST_SECRET: SECRET, ...vars },
      onLine: (line) => {
        logbook.add("worker", line);
        onLine("worker", line);
      },
      guard,
    });
    cleanups.push(() => worker.kill());
    await worker.start();
    const seat = async (name: string): Promise<Seat> => {
      const made = await makeSeat({
        name,
        databaseUrl: cluster.url,
        workerPort: port,
        env: { INGEST_SECRET: SECRET, OUTBOX_RETENTION_MS: "86400000", ...listener },
        logbook,
        guard,
        onLine: (line) => onLine(name, line),
      });
      cleanups.push(() => made.close());
      return made;
    };
    const seats = [await seat("listener 1"), await seat("listener 2"), await seat("listener 3")] as const;
    for (const made of seats.slice(0, listeners)) made.start();
    const url = `http://127.0.0.1:${port}`;
    const get = async <T>(path: string): Promise<T | null> => {
      try {
        const response = await fetch(url + path, {
          headers: path.startsWith("/internal/") ? { authorization: `Bearer ${SECRET}` } : {},
          signal: AbortSignal.timeout(5_000),
        });
        return response.ok ? ((await response.json()) as T) : null;
      } catch {
        return null; // it is down, which is what the suite does to it
      }
    };
    const ground: Ground = {
      cluster,
      worker,
      url,
      seats,
      logbook,
      logState: () => get<LogState>("/internal/changes"),
      head: async () => (await get<{ position: string }>("/api/changes"))?.position ?? null,
      stop,
    };
    if (listeners > 0) {
      const deadline = Date.now() + PATIENCE_MS;
      while (((await ground.logState())?.cursor ?? null) === null) {
        if (Date.now() > deadline) throw new Error("no listener has begun the log");
        await sleep(50);
      }
    }
    return ground;
  } catch (error) {
    await stop();
    throw error;
  }
}
