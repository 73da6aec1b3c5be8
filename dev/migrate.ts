/**
 * Applies sql/*.sql in the order of their numbers, each once, all of one run in one transaction. The files are plain SQL
 * that `psql -f` runs too. Which ones have been applied is kept in `rowcast_migrations.applied`; an advisory lock makes a
 * second run wait for the first.
 */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { runner } from "node-pg-migrate";
import { Client, DatabaseError } from "pg";
import { DEV_VARS_FILE, readConfig } from "./config.ts";
import { readDevVars } from "./dev-vars.ts";
import { connectionOptions } from "../protocol/postgres-url.ts";
import { StartError } from "./start-error.ts";

export const SQL_DIR = fileURLToPath(new URL("../sql", import.meta.url));

/** A file that Postgres refused: the message says which, where in it, and why. */
export class MigrationError extends Error {
  readonly code = "MIGRATION";
  override readonly name = "MigrationError";
}

/**
 * Where there is nothing to apply: the capturing functions are written anew where they do not fit their tables, as after a
 * dump was loaded. One at a time; whoever may not leaves it to the owner.
 */
const FIT = `DO $$ BEGIN
  IF has_function_privilege(to_regprocedure('rowcast.sync_all()'), 'EXECUTE') THEN
    PERFORM pg_advisory_xact_lock(hashtext('rowcast.sync_all'));
    PERFORM rowcast.sync_all();
  END IF;
END $$`;

export interface MigrateOptions {
  /** Where the .sql files are. */
  readonly dir?: string;
  /** One line for each file before it is applied. */
  readonly onLog?: (line: string) => void;
}

/**
 * Brings the database at `databaseUrl` up to date.
 *
 * @returns the names of the files that were applied now, without `.sql`; empty when there was nothing to do.
 * @throws {MigrationError} when a file fails (nothing of this run is kept then) or the database cannot be reached.
 */
export async function migrate(databaseUrl: string, options: MigrateOptions = {}): Promise<string[]> {
  const { dir = SQL_DIR, onLog = () => undefined } = options;
  let running: { file: string; text: string } | null = null;
  const client = new Client({ ...connectionOptions(databaseUrl), connectionTimeoutMillis: 10_000 });
  client.on("error", () => {
    // The query in flight fails with the same error, and tells.
  });
  try {
    await client.connect().catch((error: unknown) => {
      throw new MigrationError(
        `The database at ${client.host}:${client.port} does not let us in: ${describe(error)}. ` +
          "`npm start` brings one up; DATABASE_URL names another.",
        { cause: error },
      );
    });
    const applied = await runner({
      dbClient: client,
      dir,
      // Anything else that lies there (a README) is no migration.
      ignorePattern: String.raw`\..*|.*(?<!\.sql)`,
      direction: "up",
      migrationsSchema: "rowcast_migrations",
      migrationsTable: "applied",
      createMigrationsSchema: true,
      singleTransaction: true,
      advisoryLockMode: "wait",
      logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
      migrationLoaderStrategies: [
        {
          extensions: [".sql"],
          // The library's own loader would cut a file at comments that look like "-- up migration".
          loader: (paths) =>
            Promise.all(
              paths.map(async (path) => {
                const text = await readFile(path, "utf8");
                const up = (pgm: { sql(statements: string): void }) => {
                  running = { file: `sql/${basename(path)}`, text };
                  onLog(`applying sql/${basename(path)}`);
                  pgm.sql(text);
                };
                return { id: path, filePaths: [path], actions: { up, down: false as const } };
              }),
            ),
        },
      ],
    });
    if (applied.length === 0) await client.query(FIT);
    return applied.map(({ name }) => name);
  } catch (error) {
    if (error instanceof MigrationError) throw error;
    throw new MigrationError(explain(error, running), { cause: error });
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** What Postgres says of a failing file, with the line and column when it names a position (in characters, from 1). */
function explain(error: unknown, running: { file: string; text: string } | null): string {
  const message = describe(error);
  if (!(error instanceof DatabaseError) || running === null)
    return `The migrations could not be run: ${message}`;
  const { detail, hint, where, code, position } = error;
  const place =
    position === undefined ? running.file : `${running.file}:${placeOf(running.text, Number(position))}`;
  return [
    `${place}: ${message}${code === undefined ? "" : ` (${code})`}`,
    ...(detail === undefined ? [] : [`  detail: ${detail}`]),
    ...(hint === undefined ? [] : [`  hint: ${hint}`]),
    ...(where === undefined ? [] : [`  in: ${where}`]),
  ].join("\n");
}

function describe(error: unknown): string {
  // Where a name has several addresses, none of which answers, the message is empty.
  return error instanceof Error ? error.message || String((error as { code?: string }).code) : String(error);
}

function placeOf(text: string, position: number): string {
  const before = Array.from(text)
    .slice(0, position - 1)
    .join("")
    .split("\n");
  return `${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}

if (import.meta.main) {
  try {
    const { databaseUrl } = readConfig(process.env, await readDevVars(DEV_VARS_FILE));
    const ownerUrl = process.env["MIGRATION_DATABASE_URL"] ?? databaseUrl;
    const applied = await migrate(ownerUrl, { onLog: console.log });
    console.log(
      applied.length === 0 ? "nothing to do: the database is up to date" : `${applied.length} applied`,
    );
  } catch (error) {
    console.error(error instanceof MigrationError || error instanceof StartError ? error.message : error);
    process.exitCode = 1;
  }
}
