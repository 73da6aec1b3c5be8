/** Everything that a run needs, in a temporary folder and on free ports; taken away again at the end. */
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { startGuard, type Guard } from "../dev/guard.ts";
import { migrate } from "../dev/migrate.ts";
import { findFreePort } from "../dev/ports.ts";
import { startPostgres } from "../dev/postgres.ts";
import type { Reply as NotifyReply, Request as NotifyRequest } from "./baselines/notify-server.ts";
import { startChild } from "./child.ts";
import { startRowcast, type Rowcast } from "./rowcast.ts";

/** What is spoken on a socket: Rowcast's frames, a JSON text a change, or socket.io's packets. */
export type Speech = "rowcast" | "json" | "socket.io";

/** A way from Postgres to sockets. */
export interface System {
  readonly name: string;
  /** The database that its writers fill. */
  readonly databaseUrl: string;
  readonly streamUrl: string;
  readonly speaks: Speech;
}

export interface Stage {
  readonly guard: Guard;
  readonly postgresVersion: string;
  readonly rowcast: System & Pick<Rowcast, "workerPid" | "listenerPid">;
  /** Node and ws. */
  readonly baseline: System;
  readonly socketio: System;
  /** The same table without a trigger. */
  readonly bareDatabaseUrl: string;
  /** Fresh servers of the baselines: after a load they may have much in memory that nobody waits for any more. */
  restartBaselines(): Promise<void>;
  stop(): Promise<void>;
}

/** All systems share one Postgres, with fsync on, each with a database of its own. */
export async function setStage(vars: Readonly<Record<string, string>> = {}): Promise<Stage> {
  const guard = startGuard();
  const cleanups: (() => Promise<unknown>)[] = [async () => guard.release()];
  const stop = async (): Promise<void> => {
    for (const cleanup of cleanups.toReversed()) await cleanup();
    cleanups.length = 0;
  };
  try {
    const folder = await mkdtemp(join(tmpdir(), "rowcast-bench-"));
    await chmod(folder, 0o755); // mkdtemp closes it to the account that Postgres runs as when we are root.
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    const postgres = await startPostgres({ dataDir: join(folder, "postgres"), port: await findFreePort() });
    guard.watch(postgres.pid, "postgres");
    cleanups.push(() => postgres.stop());

    const create = (name: string): Promise<string> => createDatabase(postgres.url, `bench_${name}`);
    const [rowcastUrl, bareUrl] = [await create("rowcast"), await create("bare")];
    const [wsUrl, socketioUrl] = [await create("ws"), await create("socketio")];
    await migrate(rowcastUrl);
    await execute(rowcastUrl, "SELECT rowcast.watch('public.readings')");
    const notify = await readFile(new URL("baselines/notify.sql", import.meta.url), "utf8");
    for (const url of [wsUrl, socketioUrl]) await execute(url, notify);

    const rowcast = await startRowcast(rowcastUrl, folder, guard, vars);
    cleanups.push(() => rowcast.stop());

    const startServers = () =>
      Promise.all([
        startBaseline("./baselines/notify-server.ts", wsUrl, guard),
        startBaseline("./baselines/socketio-server.ts", socketioUrl, guard),
      ]);
    let servers = await startServers();
    const killServers = (): void => servers.forEach((server) => server.kill());
    cleanups.push(async () => killServers());
    return {
      guard,
      postgresVersion: await execute(bareUrl, "SHOW server_version"),
      rowcast: {
        name: "Rowcast",
        databaseUrl: rowcastUrl,
        streamUrl: rowcast.streamUrl,
        speaks: "rowcast",
        workerPid: rowcast.workerPid,
        listenerPid: rowcast.listenerPid,
      },
      baseline: {
        name: "ws",
        databaseUrl: wsUrl,
        get streamUrl() {
          return `ws://127.0.0.1:${servers[0].port}`;
        },
        speaks: "json",
      },
      socketio: {
        name: "socket.io",
        databaseUrl: socketioUrl,
        get streamUrl() {
          return `ws://127.0.0.1:${servers[1].port}/socket.io/?EIO=4&transport=websocket`;
        },
        speaks: "socket.io",
      },
      bareDatabaseUrl: bareUrl,
      async restartBaselines() {
        killServers();
        servers = await startServers();
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startBaseline(
  module: string,
  databaseUrl: string,
  guard: Guard,
): Promise<{ port: number; kill(): void }> {
  const child = startChild<NotifyRequest, NotifyReply>(module, guard);
  const { port } = await child.ask({ databaseUrl }, 10_000);
  return { port, kill: () => child.kill() };
}

async function createDatabase(serverUrl: string, name: string): Promise<string> {
  await execute(serverUrl, `CREATE DATABASE ${name} STRATEGY file_copy`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  await execute(url.href, await readFile(new URL("schema.sql", import.meta.url), "utf8"));
  return url.href;
}

/** @returns the first value of the answer as text. */
async function execute(url: string, statement: string): Promise<string> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(statement);
    return String(Object.values(rows?.[0] ?? {})[0]);
  } finally {
    await client.end();
  }
}
