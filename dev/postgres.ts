/** A real Postgres on this machine, from npm: made on first use, started, and stopped in order. */
import { spawn, type ChildProcess } from "node:child_process";
import { chmod, mkdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { Client } from "pg";
import { isPortFree } from "./ports.ts";
import { accountOf, assertReachable } from "./postgres-account.ts";
import { findPostgresBinary, initialiseCluster } from "./postgres-binaries.ts";
import { stopStalePostgres } from "./postgres-stale.ts";
import { StartError } from "./start-error.ts";

const NAME = "rowcast";
const LOGIN = { user: NAME, password: NAME };
const READY = "database system is ready to accept connections";
/** A fast shutdown writes a checkpoint first; one that takes longer is cut short, which costs a recovery and no data. */
const STOP_TIMEOUT_MS = 8_000;

export interface PostgresOptions {
  /** The folder of the cluster; made when it does not exist. */
  readonly dataDir: string;
  readonly port: number;
  /** Off only where a crash of the machine may cost the data: in tests. */
  readonly fsync?: boolean;
  /** Further server settings, as `-c name=value` takes them. */
  readonly settings?: Readonly<Record<string, string>>;
  /** One line of the server's log. */
  readonly onLog?: (line: string) => void;
}

export interface Postgres {
  readonly url: string;
  readonly pid: number;
  /** How the server ended, wanted or not: `exit code 0`, `SIGKILL`. */
  readonly exited: Promise<string>;
  /** Fast shutdown: sessions are ended, nothing is lost. Resolves when the process has gone. */
  stop(): Promise<void>;
  /** Immediate shutdown: the next start recovers from the log, as after a crash. */
  kill(): void;
}

/** The address of the local database on `port`. */
export function localDatabaseUrl(port: number): string {
  return `postgres://${NAME}:${NAME}@127.0.0.1:${port}/${NAME}`;
}

/**
 * Starts the cluster in `dataDir` on 127.0.0.1, with an empty database `rowcast` when it is new. A server that a former
 * start left running there is stopped first.
 *
 * @throws {StartError} when the port is taken, the folder cannot be used, or the server does not come up.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const dataDir = resolve(options.dataDir);
  const fsync = options.fsync ?? true;
  const onLog = options.onLog ?? (() => undefined);

  const stopped = await stopStalePostgres(dataDir, LOGIN);
  if (stopped !== null) onLog(`stopped a server that an earlier start had left running (process ${stopped})`);
  if (!(await isPortFree(options.port))) {
    throw new StartError(
      `Port ${options.port}, meant for Postgres, is taken. Free it, or set PG_PORT to another.`,
    );
  }

  const binary = await findPostgresBinary();
  await assertReachable(dirname(binary), "Move the project to a folder that others may enter (chmod o+x).");
  await assertReachable(
    dataDir,
    "Set DATA_DIR to a folder that others may enter, or open this one (chmod o+x).",
  );
  await ensureCluster(dataDir, fsync, onLog);

  const flags = Object.entries({
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    logging_collector: "off",
    log_destination: "stderr",
    lc_messages: "C",
    log_line_prefix: "",
    // Commits are still written before they are answered: a killed server keeps them, only a crashed machine does not.
    ...(fsync ? {} : { fsync: "off", full_page_writes: "off" }),
    ...options.settings,
  }).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const account = await accountOf(dataDir);
  const child = spawn(binary, ["-D", dataDir, "-p", String(options.port), ...flags], {
    // A group of its own: Ctrl-C in the terminal reaches us, and we end it last.
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, LC_ALL: "C" },
    ...account,
  });
  const exited = new Promise<string>((resolve) => {
    child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
    child.once("error", (error) => resolve(error.message));
  });
  await untilReady(child, exited, onLog);
  const server: Postgres = {
    url: localDatabaseUrl(options.port),
    pid: child.pid ?? -1,
    exited,
    stop: () => stopServer(child, exited),
    kill: () => void child.kill("SIGQUIT"),
  };
  try {
    await ensureDatabase(options.port);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

/** Made beside its place and moved there when it is whole: a first start that is interrupted leaves nothing half made. */
async function ensureCluster(dataDir: string, sync: boolean, onLog: (line: string) => void): Promise<void> {
  if ((await stat(join(dataDir, "PG_VERSION")).catch(() => null)) !== null) return;
  onLog(`making a new cluster in ${dataDir}`);
  const parent = dirname(dataDir);
  if ((await mkdir(parent, { recursive: true })) !== undefined) await chmod(parent, 0o755);
  const unfinished = `${dataDir}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await initialiseCluster({ dataDir: unfinished, ...LOGIN, sync });
  await rename(unfinished, dataDir);
}

function untilReady(
  child: ChildProcess,
  exited: Promise<unknown>,
  onLog: (line: string) => void,
): Promise<void> {
  const lines: string[] = [];
  return new Promise((resolve, reject) => {
    child.once("error", (error) =>
      reject(new StartError(`Postgres could not be started: ${error.message}`, { cause: error })),
    );
    if (child.stderr !== null) {
      createInterface({ input: child.stderr }).on("line", (line) => {
        if (lines.length < 50) lines.push(line);
        onLog(line);
        if (line.includes(READY)) resolve();
      });
    }
    void exited.then(() => reject(new StartError(`Postgres did not come up:\n${lines.join("\n")}`)));
  });
}

async function stopServer(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  child.kill("SIGINT");
  const timer = setTimeout(() => child.kill("SIGQUIT"), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(timer);
}

async function ensureDatabase(port: number): Promise<void> {
  const client = new Client({ host: "127.0.0.1", port, database: "postgres", ...LOGIN });
  client.on("error", () => {
    // The query in flight fails with the same error, and tells.
  });
  await client.connect();
  try {
    const { rowCount } = await client.query("SELECT FROM pg_database WHERE datname = $1", [NAME]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${NAME}`);
    // The account has the name of Rowcast's schema, and "$user" comes first otherwise: tables would be made in there.
    await client.query(`ALTER ROLE ${NAME} SET search_path TO public`);
  } finally {
    await client.end();
  }
}
