/**
 * Which account Postgres runs as. It refuses to run as root; then it gets an account of its own, which must be able to
 * reach the data folder and the binaries.
 */
import { execFile } from "node:child_process";
import { stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { promisify } from "node:util";
import { StartError } from "./start-error.ts";

const run = promisify(execFile);

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** The owner of the data folder, to run as; null when this process is not root and so cannot choose. */
export async function accountOf(dataDir: string): Promise<Account | null> {
  if (!isRoot()) return null;
  const { uid, gid } = await stat(dataDir);
  return { uid, gid };
}

/**
 * Checks that the account `postgres` can walk down to `folder`, of which the last parts need not exist yet.
 *
 * @throws {StartError} that names the closed folder and ends with `advice`.
 */
export async function assertReachable(folder: string, advice: string): Promise<void> {
  if (!isRoot()) return;
  const account = await findPostgresAccount();
  for (let path = resolve(folder); ; path = dirname(path)) {
    const info = await stat(path).catch(() => null);
    if (info !== null && !mayEnter(info, account)) {
      throw new StartError(
        `Postgres does not run as root, so it runs as the user "postgres", who may not enter ${path}. ${advice}`,
      );
    }
    if (path === dirname(path)) return;
  }
}

async function findPostgresAccount(): Promise<Account | null> {
  try {
    const [uid, gid] = await Promise.all(
      ["-u", "-g"].map(async (flag) => Number((await run("id", [flag, "postgres"])).stdout)),
    );
    return uid === undefined || gid === undefined ? null : { uid, gid };
  } catch {
    return null; // Not made yet: then only what is open to everybody is open to it.
  }
}

function mayEnter(folder: { mode: number; uid: number; gid: number }, account: Account | null): boolean {
  if (folder.uid === account?.uid) return (folder.mode & 0o100) !== 0;
  if (folder.gid === account?.gid) return (folder.mode & 0o010) !== 0;
  return (folder.mode & 0o001) !== 0;
}
