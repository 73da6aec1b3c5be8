/** The terminal client in a real pty, its output rendered by a real terminal emulator: what a person sees is what is asserted. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "@lydell/node-pty";
import headless from "@xterm/headless";
import { PROJECT_DIR } from "../../dev/config.ts";

export const KEYS = {
  enter: "\r",
  up: "\u001B[A",
  down: "\u001B[B",
  left: "\u001B[D",
  tab: "\t",
  ctrlC: "\u0003",
  ctrlD: "\u0004",
};

/** Then a test fails, and shows the screen. */
const PATIENCE_MS = 20_000;

export interface Terminal {
  readonly pid: number;
  type(text: string): void;
  /** The lines on the screen, and those that have left it at the top, without blanks at their ends. */
  lines(): string[];
  /** The line that the cursor is in, from the start of the prompt (it may have wrapped). */
  typed(): string;
  /** Resolves when the condition holds, looked at whenever something was drawn. */
  until(condition: () => boolean): Promise<void>;
  /** Resolves when the text is somewhere on it. */
  shows(text: string): Promise<void>;
  resize(columns: number): void;
  /** All that was written, escape sequences and all. */
  raw(): string;
  readonly exit: Promise<number>;
  kill(): void;
}

export interface TerminalOptions {
  readonly url: string;
  readonly columns?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** What keeps the history; a folder of its own unless given. */
  readonly state: string;
}

/** Runs `cli/main.ts` with the arguments: without any, the shell. */
export function openTerminal(args: readonly string[], options: TerminalOptions): Terminal {
  const columns = options.columns ?? 80;
  const screen = new headless.Terminal({ cols: columns, rows: 24, allowProposedApi: true });
  const child = spawn(process.execPath, [join(PROJECT_DIR, "cli/main.ts"), ...args], {
    cols: columns,
    rows: 24,
    name: "xterm-256color",
    env: {
      PATH: process.env["PATH"] ?? "",
      TERM: "xterm-256color",
      ROWCAST_URL: options.url,
      XDG_STATE_HOME: options.state,
      ...options.env,
    },
  });
  const looking = new Set<() => void>();
  let raw = "";
  child.onData((data) => {
    raw += data;
    screen.write(data, () => {
      for (const look of looking) look();
    });
  });
  const exit = new Promise<number>((resolve) => {
    child.onExit(({ exitCode, signal }) => resolve(signal ? 128 + signal : exitCode));
  });

  const lines = (): string[] => {
    const { active } = screen.buffer;
    const all: string[] = [];
    for (let row = 0; row < active.length; row += 1) {
      const line = active.getLine(row);
      const text = line?.translateToString(true) ?? "";
      if (line?.isWrapped) all.push(`${all.pop() ?? ""}${text}`);
      else all.push(text);
    }
    return all.map((line) => line.trimEnd());
  };
  const typed = (): string => {
    const { active } = screen.buffer;
    let row = active.baseY + active.cursorY;
    let text = "";
    for (; ; row -= 1) {
      const line = active.getLine(row);
      text = `${line?.translateToString(true) ?? ""}${text}`;
      if (!line?.isWrapped) return text.trimEnd();
    }
  };
  const until = async (condition: () => boolean): Promise<void> => {
    if (condition()) return;
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (!condition()) return;
        looking.delete(look);
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        looking.delete(look);
        reject(new Error(`It did not come to that:\n${lines().join("\n").trimEnd()}`));
      }, PATIENCE_MS);
      looking.add(look);
    });
  };
  return {
    pid: child.pid,
    type: (text) => child.write(text),
    lines,
    typed,
    until,
    shows: (text) => until(() => lines().some((line) => line.includes(text))),
    resize: (next) => {
      screen.resize(next, 24);
      child.resize(next, 24);
    },
    raw: () => raw,
    exit,
    kill: () => child.kill("SIGKILL"),
  };
}

/** A folder for what a terminal keeps, and what takes it away. */
export async function stateFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "rowcast-cli-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
