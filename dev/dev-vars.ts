/** .dev.vars: the secrets and settings of local running, made on the first start and never committed. */
import { randomBytes } from "node:crypto";
import { chmod, readFile, rename, writeFile } from "node:fs/promises";
import { parseEnv } from "node:util";
import { isEmbeddedUrl } from "./config.ts";
import { localDatabaseUrl } from "./postgres.ts";

const INTRODUCTION = `# Made by \`npm start\`, for this machine only. .dev.vars.example explains each name.
# Values here are yours to change; names that are missing are added again.
`;

/** The values of the file; empty when it does not exist. */
export async function readDevVars(file: string): Promise<Record<string, string>> {
  const text = await readFile(file, "utf8").catch(() => "");
  return Object.fromEntries(
    Object.entries(parseEnv(text)).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/**
 * Makes the file, or adds the names that it lacks; what it holds stays as it is. One value follows along: the address of
 * the embedded database, when PG_PORT moved it.
 *
 * @returns the values, and the names that were added now.
 */
export async function ensureDevVars(
  file: string,
  pgPort: number,
): Promise<{ values: Record<string, string>; added: string[] }> {
  const existing = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  const values = await readDevVars(file);
  const wanted: Record<string, string> = {
    INGEST_SECRET: randomBytes(32).toString("base64url"),
    DATABASE_URL: localDatabaseUrl(pgPort),
    WORKER_URL: "http://localhost:8787",
    ALLOW_HUB_OVERRIDE: "true",
    // This machine's own, to be played with: no token, and everything comes from one address.
    ANONYMOUS: "write",
    RATE_LIMITS: "off",
    MAX_SOCKETS_PER_ADDRESS: "0",
  };
  const added = Object.keys(wanted).filter((name) => !values[name]);

  let text = existing ?? INTRODUCTION;
  const present = values["DATABASE_URL"];
  if (present !== undefined && isEmbeddedUrl(present) && present !== wanted["DATABASE_URL"]) {
    text = text.replaceAll(present, localDatabaseUrl(pgPort));
  }
  if (added.length > 0) {
    // A name without a value would win over one added above it.
    text = text
      .split("\n")
      .filter((line) => !added.some((name) => line.trim().startsWith(`${name}=`)))
      .join("\n");
    if (!text.endsWith("\n")) text += "\n";
    text += added.map((name) => `${name}=${wanted[name]}\n`).join("");
  }
  if (text !== existing) {
    // Beside it and then moved: an interrupted write leaves the old file whole.
    const unfinished = `${file}.${process.pid}`;
    await writeFile(unfinished, text, { mode: 0o600 });
    await rename(unfinished, file);
  } else {
    await chmod(file, 0o600);
  }
  return { values: await readDevVars(file), added };
}
