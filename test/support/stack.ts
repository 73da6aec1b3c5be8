/**
 * The real thing, for tests: a database of its own, the Worker in workerd behind a real address, and the listener as the
 * process that users run, on free ports. Nothing of the checkout but its source matters: no .dev.vars is read, no
 * variable of the environment gets in, and the dashboard is there only when asked for.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestHarness } from "wrangler";
import { PROJECT_DIR } from "../../dev/config.ts";
import { readWorkerConfig } from "../../dev/wrangler-config.ts";
import { createDatabase, type TestDatabase } from "./postgres.ts";
import { startListenerProcess, type ListenerProcess } from "./stack-listener.ts";

/** What every listener of a stack shows. */
export const INGEST_SECRET = "stack-ingest-secret-0123456789";
/** Where every client of one machine ends up: workerd knows no place (worker/hub/region.ts). */
const HUB = "enam:0";
const CHANGE_LOG = "main";

/** What tests of other things want of the Worker: no tokens, and no limits for the one address they come from. */
export const OPEN_TO_ALL = {
  ALLOW_HUB_OVERRIDE: "true",
  ANONYMOUS: "write",
  RATE_LIMITS: "off",
  MAX_SOCKETS_PER_ADDRESS: "0",
};

type Variables = Readonly<Record<string, string>>;

export interface StackOptions {
  /** Variables of the Worker beside those of wrangler.toml, or instead of them. */
  readonly vars?: Variables;
  /** Variables of the listener beside the needed ones. */
  readonly listener?: Variables;
  /** Unless false, the stack comes up with its listener. */
  readonly startListener?: boolean;
  /** Where the Worker and the listener find an address of the database: something that stands before it. */
  readonly via?: (databaseUrl: string) => string;
  /** Serve the built dashboard too. */
  readonly dashboard?: boolean;
}

export interface Stack {
  /** Of the Worker, without a slash at the end. */
  readonly url: string;
  readonly database: TestDatabase;
  /** Starts the listener; resolves when it has carried over what there was. */
  startListener(): Promise<void>;
  /** Ends it and waits for its end. */
  killListener(signal?: NodeJS.Signals): Promise<void>;
  readonly listenerPid: number;
  /** Takes the Hub's memory; its sockets live on (`hibernate`) or are cut as by a deploy (`close`). */
  evictHub(webSockets: "hibernate" | "close", name?: string): Promise<void>;
  /** Takes the ChangeLog's memory; its storage stays, and so do its control sockets unless they are to be cut. */
  evictChangeLog(webSockets?: "hibernate" | "close"): Promise<void>;
  /** What the Worker, then the listener have logged, the end of it: for a failing test. */
  logs(): string;
  stop(): Promise<void>;
}

/** Brings it all up, some 3 s. Call it in `beforeAll`, and `stop()` in `afterAll`. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const folder = await mkdtemp(join(tmpdir(), "rowcast-stack-"));
  const database = await createDatabase();
  const via = options.via ?? ((url: string) => url);
  const harness = createTestHarness({
    root: folder,
    workers: [{ config: workerConfig(via(database.logins.api), options) }],
  });
  let listener: ListenerProcess | null = null;
  const logs: string[] = [];

  const stop = async (): Promise<void> => {
    await listener?.end("SIGKILL");
    await harness.close();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  };

  try {
    const { url } = await harness.listen();
    const worker = harness.getWorker();
    const stack: Stack = {
      url: url.origin,
      database,
      async startListener() {
        listener = startListenerProcess(
          {
            DATABASE_URL: via(database.logins.listener),
            WORKER_URL: url.origin,
            INGEST_SECRET,
            ...options.listener,
          },
          (line) => void logs.push(line),
        );
        await listener.delivers;
      },
      async killListener(signal = "SIGKILL") {
        await listener?.end(signal);
        listener = null;
      },
      get listenerPid() {
        if (listener === null) throw new Error("no listener is running");
        return listener.pid;
      },
      evictHub: (webSockets, name = HUB) =>
        worker.evictDurableObject("Hub", { name, webSockets }).catch(unlessGoneAlready),
      evictChangeLog: (webSockets) =>
        worker
          .evictDurableObject("ChangeLog", { name: CHANGE_LOG, ...(webSockets && { webSockets }) })
          .catch(unlessGoneAlready),
      logs: () => [...harness.getLogs().map(({ message }) => message), ...logs].join("\n").slice(-10_000),
      stop,
    };
    if (options.startListener !== false) await stack.startListener();
    return stack;
  } catch (error) {
    await stop();
    throw error;
  }
}

/** An object that sleeps, or whose sockets have all been cut, has nothing to be taken. */
function unlessGoneAlready(error: unknown): void {
  if (!String(error).includes("not currently running")) throw error;
}

/** wrangler.toml, in the folder of this stack: paths are absolute, and beside it lies no .dev.vars. */
function workerConfig(databaseUrl: string, { vars, dashboard }: StackOptions) {
  process.env["CLOUDFLARE_CF_FETCH_ENABLED"] = "false"; // or every start would ask the internet where it is
  const config = readWorkerConfig();
  const { name, main, compatibility_date, compatibility_flags, durable_objects, migrations, assets } = config;
  return {
    name,
    main,
    compatibility_date,
    compatibility_flags,
    durable_objects,
    migrations,
    ...(dashboard && assets && { assets: { ...assets, directory: join(PROJECT_DIR, "web/dist") } }),
    vars: { ...config.vars, DATABASE_URL: databaseUrl, INGEST_SECRET, ...OPEN_TO_ALL, ...vars },
  };
}
