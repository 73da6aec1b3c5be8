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
import { startRowcast } from "./rowcast.ts";

/** A way from Postgres to sockets. */
export interface System {
  readonly name: string;
  /** The database that its writers fill. */
  readonly databaseUrl: string;
  readonly streamUrl: string;
  /** Its server says `welcome` when it will send everything from then on. */
  readonly greets: boolean;
}

export interface Stage {
  readonly guard: Guard;
  readonly postgresVersion: string;
  readonly rowcast: System;
  readonly baseline: System;
  /** The same table without a trigger. */
  readonly bareDatabaseUrl: string;
  /** A fresh baseline: after a load it may have much in memory that nobody waits for any more. */
  restartBaseline(): Promise<void>;
  stop(): Promise<void>;
}

/** Both systems share one Postgres, with fsync on, each with a database of its own. */
export async function setStage(): Promise<Stage> {
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

    const [rowcastUrl, baselineUrl, bareUrl] = await Promise.all(
      ["bench_rowcast", "bench_baseline", "bench_bare"].map((name) => createDatabase(postgres.url, name)),
    );
    if (rowcastUrl === undefined || baselineUrl === undefined || bareUrl === undefined)
      throw new Error("three databases were asked for");
    await migrate(rowcastUrl);
    await execute(rowcastUrl, "SELECT rowcast.watch('public.readings')");
    await execute(baselineUrl, await readFile(new URL("baselines/notify.sql", import.meta.url), "utf8"));

    const rowcast = await startRowcast(rowcastUrl, folder, guard);
    cleanups.push(() => rowcast.stop());

    let server = await startBaseline(baselineUrl, guard);
    cleanups.push(async () => server.kill());
    return {
      guard,
      postgresVersion: await execute(bareUrl, "SHOW server_version"),
      rowcast: { name: "Rowcast", databaseUrl: rowcastUrl, streamUrl: rowcast.streamUrl, greets: true },
      baseline: {
        name: "baseline",
        databaseUrl: baselineUrl,
        get streamUrl() {
          return server.streamUrl;
        },
        greets: false,
      },
      bareDatabaseUrl: bareUrl,
      async restartBaseline() {
        server.kill();
        server = await startBaseline(baselineUrl, guard);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startBaseline(
  databaseUrl: string,
  guard: Guard,
): Promise<{ streamUrl: string; kill(): void }> {
  const child = startChild<NotifyRequest, NotifyReply>("./baselines/notify-server.ts", guard);
  const { port } = await child.ask({ databaseUrl }, 10_000);
  return { streamUrl: `ws://127.0.0.1:${port}`, kill: () => child.kill() };
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
