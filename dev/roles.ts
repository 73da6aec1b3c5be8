/**
 * Logins for the two roles of sql/010_roles.sql. `npm run roles` gives them new passwords, as the owner of the database
 * (MIGRATION_DATABASE_URL, else DATABASE_URL), and prints the addresses for the Worker and the listener; run it again to
 * rotate them. The local stack does the same at each start.
 */
import { randomBytes } from "node:crypto";
import { Client, escapeIdentifier, escapeLiteral } from "pg";
import { DEV_VARS_FILE, readConfig } from "./config.ts";
import { readDevVars } from "./dev-vars.ts";
import type { Logins } from "./logins.ts";
import { MigrationError } from "./migrate.ts";
import { connectionOptions } from "../protocol/postgres-url.ts";
import { StartError } from "./start-error.ts";

/**
 * Gives both roles new passwords and lets them log in.
 *
 * @param ownerUrl of a role that may alter roles; what else is in the address (host, database, sslmode) is kept.
 * @throws pg's error when it may not, or the roles are not there because the migrations have not been run.
 */
export async function setLogins(ownerUrl: string): Promise<Logins> {
  const client = new Client({ ...connectionOptions(ownerUrl), connectionTimeoutMillis: 10_000 });
  client.on("error", () => undefined); // The query in flight fails with the same error, and tells.
  await client.connect();
  try {
    const setLogin = async (role: string): Promise<string> => {
      const password = randomBytes(24).toString("base64url");
      // ALTER ROLE takes no parameters.
      await client.query(`ALTER ROLE ${escapeIdentifier(role)} LOGIN PASSWORD ${escapeLiteral(password)}`);
      const url = new URL(ownerUrl);
      url.username = role;
      url.password = password;
      return url.href;
    };
    return { api: await setLogin("rowcast_api"), listener: await setLogin("rowcast_listener") };
  } finally {
    await client.end().catch(() => undefined);
  }
}

if (import.meta.main) {
  try {
    const devVars = await readDevVars(DEV_VARS_FILE);
    const ownerUrl = process.env["MIGRATION_DATABASE_URL"] ?? readConfig(process.env, devVars).databaseUrl;
    const { api, listener } = await setLogins(ownerUrl);
    console.log(`DATABASE_URL of the Worker:\n  ${api}\nDATABASE_URL of the listener:\n  ${listener}`);
  } catch (error) {
    const expected = error instanceof StartError || error instanceof MigrationError;
    console.error(expected ? error.message : `The roles could not be set: ${String(error)}`);
    console.error("Run `npm run migrate` first; the owner of the database has to be allowed to alter roles.");
    process.exitCode = 1;
  }
}
