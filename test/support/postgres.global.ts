/** One Postgres cluster for a whole test run, with a migrated database that every test file clones (vitest globalSetup). */
import { chmod, chown, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import type { TestProject } from "vitest/node";
import { migrate } from "../../dev/migrate.ts";
import { setLogins } from "../../dev/roles.ts";
import { findFreePort } from "../../dev/ports.ts";
import { startPostgres, type Postgres } from "../../dev/postgres.ts";
import { createAuthority, issueCertificate } from "./certificates.ts";
import type { PostgresTls } from "./postgres.ts";

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
    const dataDir = join(folder, "postgres");
    server = await startPostgres({
      dataDir,
      port: await findFreePort(),
      fsync: false,
      settings: { max_connections: "300", shared_buffers: "64MB", listen_addresses: "127.0.0.1,::1" },
    });
    const url = new URL(server.url);
    url.pathname = `/${TEMPLATE}`;
    const client = new Client({ connectionString: server.url });
    client.on("error", () => undefined);
    await client.connect();
    await client.query(`CREATE DATABASE ${TEMPLATE}`);
    project.provide("postgresTls", await offerTls(client, dataDir));
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

/** The server takes TLS as well from now on, as `localhost` and `::1`: by 127.0.0.1 it is not what its certificate says. */
async function offerTls(client: Client, dataDir: string): Promise<PostgresTls> {
  const authority = await createAuthority("Rowcast tests");
  const own = await issueCertificate(authority, { hosts: ["localhost"], addresses: ["::1"] });
  const { uid, gid } = await stat(dataDir);
  for (const [name, text] of [
    ["server.crt", own.cert],
    ["server.key", own.key],
  ] as const) {
    const path = join(dataDir, name);
    await writeFile(path, text, { mode: 0o600 }); // Postgres takes no key that others may read.
    await chown(path, uid, gid);
  }
  const rootPath = join(dataDir, "..", "root.crt");
  await writeFile(rootPath, authority.cert);
  await client.query("ALTER SYSTEM SET ssl = on");
  await client.query("SELECT pg_reload_conf()");
  // Sessions are told once the server itself has read it.
  for (let on = false; !on;)
    on = (await client.query("SELECT WHERE current_setting('ssl') = 'on'")).rowCount === 1;
  return { authority, rootPath };
}
