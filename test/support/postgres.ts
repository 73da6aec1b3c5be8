/** A database of its own for a test file, cloned from the migrated template of this run. */
import { randomBytes } from "node:crypto";
import { Client } from "pg";
import { inject } from "vitest";
import type { Logins } from "../../dev/logins.ts";
import type { Certificate } from "./certificates.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** The address of the test cluster's maintenance database. */
    postgresUrl: string;
    /** Of the roles in sql/010_roles.sql, which have these passwords in every database of the run. */
    postgresLogins: Logins;
    /** The name of the migrated database to clone. */
    postgresTemplate: string;
    /** The cluster takes TLS for who asks for it, as `localhost` and `::1`. */
    postgresTls: PostgresTls;
  }
}

export interface PostgresTls {
  /** Who signed the server's certificate: known to nobody who is not told. */
  readonly authority: Certificate;
  /** A file with its certificate. */
  readonly rootPath: string;
}

export interface TestDatabase {
  /** As its owner, who may do everything. */
  readonly url: string;
  /** As the Worker and the listener may. */
  readonly logins: Logins;
  /** Connected to it. A server that goes away under it fails its next query and nothing else. */
  readonly client: Client;
  /** Ends `client`, throws out every other session, and removes the database. */
  drop(): Promise<void>;
}

/** Clones the template: some 100 ms. Call it in `beforeAll`, and `drop()` in `afterAll`. */
export async function createDatabase(): Promise<TestDatabase> {
  return cloneDatabase(inject("postgresTemplate"));
}

/** A database with nothing in it: for tests of the migrations themselves. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  return cloneDatabase("template1");
}

async function cloneDatabase(template: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString("hex")}`;
  await administer(`CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY file_copy`);
  const url = new URL(inject("postgresUrl"));
  url.pathname = `/${name}`;
  const client = await connect(url.href);
  const as = (login: string): string => {
    const address = new URL(login);
    address.pathname = url.pathname;
    return address.href;
  };
  const { api, listener } = inject("postgresLogins");
  return {
    url: url.href,
    logins: { api: as(api), listener: as(listener) },
    client,
    async drop() {
      await client.end().catch(() => undefined);
      await administer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

/** A connected client whose errors surface at its next query instead of ending the process. */
export async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

/** One statement at a time over the whole run: two clones of one template at once would refuse each other. */
async function administer(statement: string): Promise<void> {
  const client = await connect(inject("postgresUrl"));
  try {
    await client.query("SELECT pg_advisory_lock(hashtext('rowcast-test-databases'))");
    await client.query(statement);
  } finally {
    await client.end();
  }
}
