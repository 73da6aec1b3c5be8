/** A whole stack of its own in a temporary folder, on free ports, for what looks at the dashboard from outside the tests. */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFreePort } from "./ports.ts";
import { localDatabaseUrl } from "./postgres.ts";
import { createStack } from "./stack.ts";

export interface LookStack {
  readonly url: string;
  readonly databaseUrl: string;
  stop(): Promise<void>;
}

/** Everybody may write, without limits. @throws with the end of its log when it does not come up. */
export async function startLookStack(): Promise<LookStack> {
  const folder = await mkdtemp(join(tmpdir(), "rowcast-look-"));
  await chmod(folder, 0o755); // mkdtemp closes it to the account that Postgres runs as when we are root.
  const [port, pgPort] = [await findFreePort(), await findFreePort()];
  const databaseUrl = localDatabaseUrl(pgPort);
  const log: string[] = [];
  const stack = createStack({
    port,
    pgPort,
    dataDir: join(folder, "data"),
    databaseUrl,
    embedded: true,
    loadVariables: () =>
      Promise.resolve({
        INGEST_SECRET: "look-ingest-secret-0123456789",
        ANONYMOUS: "write",
        RATE_LIMITS: "off",
        MAX_SOCKETS_PER_ADDRESS: "0",
      }),
    buildWeb: false,
    samples: false,
    fsync: false,
    say: (part, line) => void log.push(`${part}: ${line}`),
  });
  const stop = async () => {
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await stack.start();
  } catch (error) {
    await stop();
    throw new Error(`The stack did not come up.\n${log.slice(-20).join("\n")}`, { cause: error });
  }
  return { url: stack.url, databaseUrl, stop };
}
