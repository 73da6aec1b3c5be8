/** Rowcast itself, as it is deployed but for the place: the Worker's bundle in workerd, and the listener. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { PROJECT_DIR } from "../dev/config.ts";
import type { Guard } from "../dev/guard.ts";
import { startPart } from "../dev/part.ts";
import { miniflareOptions } from "../dev/wrangler-config.ts";
import { bundleWorker } from "../dev/wrangler.ts";
import type { LogState } from "../protocol/ingest.ts";

const START_TIMEOUT_MS = 30_000;

export interface Rowcast {
  /** With lean frames, as the SDK asks for them. */
  readonly streamUrl: string;
  /** The process of workerd. */
  readonly workerPid: number;
  readonly listenerPid: number;
  stop(): Promise<void>;
}

/**
 * Starts workerd and the listener for the migrated database at `databaseUrl`.
 *
 * The address is a socket of workerd itself: neither wrangler's proxy nor Miniflare's entry worker is in the way, each of
 * which adds milliseconds that no deployment has.
 */
export async function startRowcast(
  databaseUrl: string,
  folder: string,
  guard: Guard,
  vars: Readonly<Record<string, string>> = {},
): Promise<Rowcast> {
  const script = await readFile(await bundleWorker(join(folder, "bundle")), "utf8");
  const { bindings, ...options } = miniflareOptions();
  const secret = randomBytes(16).toString("hex");
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      name: "rowcast",
      rootPath: folder,
      host: "127.0.0.1",
      port: 0,
      cf: false,
      telemetry: { enabled: false },
      handleStructuredLogs({ level, message }) {
        if (level === "warn" || level === "error") console.error(`worker: ${message}`);
      },
      resourcePersistencePath: join(folder, "objects"),
      ...options,
      modules: [{ type: "ESModule", path: join(folder, "bundle/index.js"), contents: script }],
      bindings: {
        ...bindings,
        INGEST_SECRET: secret,
        ANONYMOUS: "write",
        MAX_SOCKETS_PER_ADDRESS: "0",
        DATABASE_URL: databaseUrl,
        ...vars,
      },
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    }),
  );
  try {
    await miniflare.ready;
    const url = await miniflare.unsafeGetDirectURL();
    const listener = await startPart({
      node: ["listener/main.ts"],
      cwd: PROJECT_DIR,
      env: {
        ...process.env,
        DATABASE_URL: databaseUrl,
        WORKER_URL: url.href,
        INGEST_SECRET: secret,
        LOG_LEVEL: "warn",
      },
      onLine: (line) => console.error(`listener: ${line}`),
      guard,
    });
    const rowcast: Rowcast = {
      workerPid: await findWorkerd(),
      listenerPid: listener.pid,
      streamUrl: new URL("/ws?lean=1", url).href.replace(/^http/, "ws"),
      async stop() {
        await listener.stop();
        await miniflare.dispose();
      },
    };
    await untilFollowed(url, secret).catch(async (error: unknown) => {
      await rowcast.stop();
      throw error;
    });
    return rowcast;
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
}

/** Miniflare does not say which process it has started: it is the one below this one that is called so. */
async function findWorkerd(): Promise<number> {
  const { stdout } = await promisify(execFile)("ps", ["--ppid", String(process.pid), "-o", "pid=,comm="]);
  const line = stdout.split("\n").find((each) => each.includes("workerd"));
  return Number(line?.trim().split(/\s+/)[0] ?? Number.NaN);
}

/** Until the listener has given the log its first cursor: from then on no change is missed. */
async function untilFollowed(url: URL, secret: string): Promise<void> {
  const deadline = AbortSignal.timeout(START_TIMEOUT_MS);
  for (;;) {
    const response = await fetch(new URL("/internal/changes", url), {
      headers: { authorization: `Bearer ${secret}` },
      signal: deadline,
    });
    const { cursor } = (await response.json()) as LogState;
    if (cursor !== null) return;
    await sleep(50, undefined, { signal: deadline });
  }
}
