/** A cluster that a former start left running (it was killed before it could stop it): found and stopped cleanly. */
import { readFile, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { StartError } from "./start-error.ts";

const STOP_TIMEOUT_MS = 20_000;
const POLL_MS = 50;

export interface Login {
  readonly user: string;
  readonly password: string;
}

/**
 * Stops the server that runs on `dataDir`, if one does, by a fast shutdown, and waits until it has gone.
 *
 * @returns the process id of the server that was stopped; null when none ran.
 * @throws {StartError} when the folder is in use by something that cannot be proved to be its server.
 */
export async function stopStalePostgres(dataDir: string, login: Login): Promise<number | null> {
  const pidFile = join(dataDir, "postmaster.pid");
  const lines = (await readFile(pidFile, "utf8").catch(() => "")).split("\n");
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 1 || !isAlive(pid)) return null; // Postgres takes over a dead one's file itself.

  if (await servesFolder(Number(lines[3]), dataDir, login)) {
    process.kill(pid, "SIGINT");
  } else if (await isForeign(pid)) {
    // The number of a server that died with its machine or container now belongs to another program. Postgres itself
    // would refuse to start; its shared memory lock still guards the folder against a server we do not see.
    await rm(pidFile, { force: true });
    return null;
  } else {
    // Perhaps it is on its way up or down: an end that it is asked for twice does no harm.
    process.kill(pid, "SIGINT");
  }
  for (let waited = 0; waited < STOP_TIMEOUT_MS; waited += POLL_MS) {
    if (!isAlive(pid)) return pid;
    await delay(POLL_MS);
  }
  throw new StartError(
    `A Postgres server (process ${pid}) still runs on ${dataDir} and does not stop. Stop it, or set DATA_DIR to another folder.`,
  );
}

/** Whether a process with this number exists, ours or not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function servesFolder(port: number, dataDir: string, login: Login): Promise<boolean> {
  if (!Number.isInteger(port) || port <= 0) return false;
  const client = new Client({
    host: "127.0.0.1",
    port,
    database: "postgres",
    ...login,
    connectionTimeoutMillis: 5000,
  });
  client.on("error", () => {
    // It may be stopped by somebody else while we ask: the answer is then no answer, below.
  });
  try {
    await client.connect();
    const { rows } = await client.query<{ data_directory: string }>("SHOW data_directory");
    return rows[0] !== undefined && (await realpath(rows[0].data_directory)) === (await realpath(dataDir));
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Whether the process is certainly not a Postgres server. Only Linux tells without a helper program. */
async function isForeign(pid: number): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => null);
  return command !== null && command.trim() !== "postgres";
}
