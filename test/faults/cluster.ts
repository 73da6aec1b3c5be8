/** The suite's own Postgres, fsync on, that is stopped, killed and set back while others use it. */
import { chmod, chown, cp, mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, type QueryResultRow } from "pg";
import type { Guard } from "../../dev/guard.ts";
import { findFreePort } from "../../dev/ports.ts";
import { startPostgres, type Postgres } from "../../dev/postgres.ts";

export interface Cluster {
  readonly url: string;
  readonly running: boolean;
  /** `fast`: sessions are ended, a checkpoint is written. `immediate`: as a crash, the next start recovers. */
  stop(how: "fast" | "immediate"): Promise<void>;
  start(): Promise<void>;
  /** With the cluster stopped: keeps its files as they are. */
  save(): Promise<void>;
  /** With the cluster stopped: puts the files back as `save` found them. */
  restore(): Promise<void>;
  /** One statement on a connection of its own, tried until Postgres answers it. */
  ask<R extends QueryResultRow>(text: string, values?: unknown[]): Promise<R[]>;
}

/** `max_connections` of the cluster: few, so that they can be used up. */
export const MAX_CONNECTIONS = 60;
/** Postgres after `immediate` recovers first; nothing here takes longer. */
const PATIENCE_MS = 60_000;

export async function startCluster(folder: string, guard: Guard): Promise<Cluster> {
  const dataDir = join(folder, "postgres");
  const saved = join(folder, "saved");
  const port = await findFreePort();
  let server: Postgres | null = null;

  const cluster: Cluster = {
    get url() {
      return url;
    },
    get running() {
      return server !== null;
    },
    async start() {
      if (server !== null) return;
      server = await startPostgres({
        dataDir,
        port,
        // Writers get in each other's way on purpose; nobody shall wait a second for that to be seen.
        settings: {
          max_connections: String(MAX_CONNECTIONS),
          max_wal_size: "2GB",
          deadlock_timeout: "50ms",
        },
      });
      guard.watch(server.pid, "postgres");
    },
    async stop(how) {
      const mine = server;
      if (mine === null) return;
      server = null;
      if (how === "fast") await mine.stop();
      else mine.kill();
      await mine.exited;
      guard.forget(mine.pid);
    },
    async save() {
      await rm(saved, { recursive: true, force: true });
      await mkdir(saved);
      await cp(dataDir, saved, { recursive: true, preserveTimestamps: true });
    },
    async restore() {
      // Copied over, not moved: the folder keeps its owner, and the files theirs, which are set below.
      const { uid, gid } = await stat(dataDir);
      await rm(dataDir, { recursive: true, force: true });
      await cp(saved, dataDir, { recursive: true, preserveTimestamps: true });
      await giveTo(dataDir, uid, gid);
    },
    async ask<R extends QueryResultRow>(text: string, values: unknown[] = []): Promise<R[]> {
      const deadline = Date.now() + PATIENCE_MS;
      for (;;) {
        try {
          return await askOnce<R>(url, text, values);
        } catch (error) {
          if (Date.now() > deadline || !passes(error)) throw error;
          await sleep(100);
        }
      }
    },
  };
  await cluster.start();
  const url = (server as Postgres | null)?.url ?? "";
  return cluster;
}

/** @throws what Postgres or the network says. */
export async function askOnce<R extends QueryResultRow>(
  url: string,
  text: string,
  values: unknown[] = [],
): Promise<R[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on("error", () => undefined); // the query fails with it
  try {
    await client.connect();
    return (await client.query<R>(text, values)).rows;
  } finally {
    client.end().catch(() => undefined);
  }
}

/** Whether an error is one of those that this suite itself brings about, and so passes. */
export function passes(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string };
  if (code !== undefined && /^(ECONN|EPIPE|57P0|53|08|40)/.test(code)) return true;
  return /terminated|timeout|ended|closed|reset|connection/i.test(message ?? "");
}

async function giveTo(path: string, uid: number, gid: number): Promise<void> {
  if (process.getuid?.() === 0) {
    for (const entry of await readdir(path, { recursive: true })) await chown(join(path, entry), uid, gid);
    await chown(path, uid, gid);
  }
  await chmod(path, 0o700);
}
