/**
 * One stack on one data folder. The lock is a local socket that its holder listens on: unlike a file with a process
 * number, it cannot be mistaken for another process's, and it is free the moment its holder is gone, however it went.
 */
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StartError } from "./start-error.ts";

export interface Lock {
  /** Whether an earlier holder went without releasing it: what it started may be on its way out still. */
  readonly wasAbandoned: boolean;
  release(): Promise<void>;
}

/**
 * Takes the lock on `dataDir`, to be told to others as `description`.
 *
 * @throws {StartError} with the holder's description when another stack runs on it.
 */
export async function takeLock(dataDir: string, description: string): Promise<Lock> {
  // Not in the folder itself: the path of a socket may hold some hundred characters only.
  const name = `rowcast-${createHash("sha256").update(dataDir).digest("hex").slice(0, 24)}`;
  const path = process.platform === "win32" ? `\\\\.\\pipe\\${name}` : join(tmpdir(), `${name}.sock`);

  for (let wasAbandoned = false; ;) {
    const server = await listen(path, description);
    if (server !== null) {
      return { wasAbandoned, release: () => new Promise((resolve) => void server.close(() => resolve())) };
    }
    const holder = await ask(path);
    if (holder !== null) {
      throw new StartError(
        `Already running: ${holder}. It uses ${dataDir}; set DATA_DIR to another for a second one.`,
      );
    }
    wasAbandoned = true;
    await rm(path, { force: true });
  }
}

/** Null when the address is in use, by a holder that lives or by the file of one that is gone. */
function listen(path: string, description: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined); // Whoever asked has gone: nothing to tell.
      socket.end(description);
    });
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(null) : reject(error),
    );
    server.listen(path, () => {
      server.unref();
      resolve(server);
    });
  });
}

/** What the holder says of itself; null when nobody is there. */
function ask(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect(path);
    socket.setEncoding("utf8");
    socket.setTimeout(2000, () => socket.end());
    socket.on("data", (text: string) => (answer += text));
    socket.once("close", (failed) => resolve(failed ? null : answer || "another start"));
    socket.on("error", () => undefined); // "close" follows and tells.
  });
}
