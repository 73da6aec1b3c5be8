/** The terminal that this process has, or has not. */
import process from "node:process";
import { paintFor } from "./paint.ts";
import type { Output } from "./session.ts";

/** Somebody types, and sees what is written. */
export function isInteractive(): boolean {
  return process.stdin.isTTY && process.stdout.isTTY;
}

/** Lines to the process' own streams: results to stdout, remarks to stderr. */
export function processOutput(): Output {
  return {
    line: (text) => void process.stdout.write(`${text}\n`),
    note: (text) => void process.stderr.write(`${paintFor(process.stderr)("dim", text)}\n`),
    columns: process.stdout.isTTY ? process.stdout.columns : Infinity,
    paint: paintFor(process.stdout),
  };
}

/** Whoever has the terminal next finds it as it was: lines and echo, and the cursor to be seen. */
export function restoreTerminal(): void {
  if (process.stdin.isTTY) process.stdin.setRawMode(false);
  if (process.stdout.isTTY) process.stdout.write("\u001B[?25h");
}

/** `… | head` closes the pipe when it has enough: that is an end, not a fault. So does a terminal that is closed. */
export function endWithReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
      process.exit(0);
    });
  }
}
