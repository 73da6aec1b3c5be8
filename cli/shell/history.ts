/** The lines typed before, kept in a file of the user's own: a line each, the newest last. */
import { appendFile, chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

export const MAX_LINES = 1000;
/** The file is rewritten when it has grown to this. */
const MAX_KEPT = 2 * MAX_LINES;

/** Where it is: under the user's state folder (XDG base directories). */
export function historyFile(env: Readonly<Record<string, string | undefined>>): string {
  const state = env["XDG_STATE_HOME"]?.startsWith("/")
    ? env["XDG_STATE_HOME"]
    : join(homedir(), ".local/state");
  return join(state, "rowcast", "history");
}

export interface History {
  /** The newest first, as readline wants it. */
  readonly lines: string[];
  /** Keeps a line, unless it begins with a blank. */
  add(line: string): void;
  /** Resolves when all that was added is in the file. */
  isKept(): Promise<void>;
}

/** Reads the history. Without a file, or where none can be written, it is empty and nothing is kept: no reason to stop. */
export async function openHistory(file: string): Promise<History> {
  const kept = await readFile(file, "utf8").then(
    (text) => text.split("\n").filter((line) => line !== ""),
    () => [],
  );
  const lines = kept.toReversed().slice(0, MAX_LINES);
  const ready = prepare(file, kept).catch(() => {});
  let last = ready;
  return {
    lines,
    add: (line) => {
      if (/^\s|^$/.test(line)) return;
      // One after the other, so that they stay in order.
      last = last.then(() => appendFile(file, `${line}\n`, { mode: 0o600 })).catch(() => {});
    },
    isKept: () => last,
  };
}

/** What is typed may name customers: nobody else reads it. */
async function prepare(file: string, kept: readonly string[]): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  if (kept.length >= MAX_KEPT) {
    const next = `${file}.${process.pid}`;
    await writeFile(next, `${kept.slice(-MAX_LINES).join("\n")}\n`, { mode: 0o600 });
    await rename(next, file);
  } else {
    await appendFile(file, "", { mode: 0o600 });
  }
  await chmod(file, 0o600);
}
