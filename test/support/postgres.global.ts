/** One Postgres cluster for a whole test run, with a migrated database that every test file clones (vitest globalSetup). */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import type { TestProject } from "vitest/node";
import { migrate } from "../../dev/migrate.ts";
import { setLogins } from "../../dev/roles.ts";
import { findFreePort } from "../../dev/ports.ts";
import { startPostgres, type Postgres } from "../../dev/postgres.ts";

const TEMPLATE = "rowcast_template";

/** Starts the cluster, migrates the template, and returns what takes it all away again. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "rowcast-test-"));
  await chmod(folder, 0o755); // mkdtemp closes it to the account that Postgres runs as when we are root.
  let server: Postgres | null = null;
  const teardown = async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    server = await startPostgres({
      dataDir: join(folder, "postgres"),
      port: await findFreePort(),
      fsync: false,
      settings: { max_connections: "300", shared_buffers: "64MB" },
    });
    const url = new URL(server.url);
    url.pathname = `/${TEMPLATE}`;
    const client = new Client({ connectionString: server.url });
    client.on("error", () => undefined);
    await client.connect();
    await client.query(`CREATE DATABASE ${TEMPLATE}`);
    await client.end();
    await migrate(url.href);
    project.provide("postgresLogins", await setLogins(url.href));
    project.provide("postgresUrl", server.url);
    project.provide("postgresTemplate", TEMPLATE);
    return teardown;
  } catch (error) {
    await teardown();
    throw error;
  }
}
