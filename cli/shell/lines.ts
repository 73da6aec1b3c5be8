/** Lines of commands: run one by one, whether they are typed or piped in. */
import process from "node:process";
import { createInterface } from "node:readline";
import type { Command } from "commander";
import type { Session } from "../session.ts";
import { shellProgram } from "./commands.ts";
import { words } from "./words.ts";

/** Runs one line; empty ones and those that begin with # are nothing. Rejects as the command does. */
export async function runLine(program: Command, line: string): Promise<void> {
  if (/^\s*(#|$)/.test(line)) return;
  await program.parseAsync(words(line), { from: "user" });
}

/** Runs the lines of stdin until one fails: rejects with why. */
export async function runLines(session: Session): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    await runLine(
      shellProgram(() => session, session.output, null),
      line,
    );
  }
}
