/** The command line: `npm run cli -- <command>`, or the shell without one. */
import process from "node:process";
import { Command, Option } from "commander";
import { createApi } from "./api.ts";
import { addCommands } from "./commands/all.ts";
import { addStatus } from "./commands/overview.ts";
import { addWatch } from "./commands/watch.ts";
import type { Place } from "./commands/watch.ts";
import { EXIT, UsageError } from "./exit.ts";
import { address, DEFAULT_URL } from "./options.ts";
import { describeTrouble } from "./problem.ts";
import { askAtTerminal } from "./questions.ts";
import type { Session } from "./session.ts";
import { runLines } from "./shell/lines.ts";
import { runShell } from "./shell/shell.ts";
import { isInteractive, processOutput } from "./terminal.ts";
import { printable } from "./text.ts";

const AFTER_HELP = `
Without a command it is interactive, or runs the commands that are piped in, a line each.

Exit codes: ${EXIT.ok} done, ${EXIT.refused} refused, ${EXIT.usage} not understood, ${EXIT.unreachable} not reached or not now, ${EXIT.interrupted} Ctrl-C.`;

/** Runs one command line, and answers with the exit code. Rejects with what nobody expects: a bug. */
export async function run(args: readonly string[]): Promise<number> {
  const root = program();
  try {
    await root.parseAsync(args, { from: "user" });
    return EXIT.ok;
  } catch (error) {
    const { note, paint } = processOutput();
    const trouble = describeTrouble(error, paint);
    if (trouble === null) throw error;
    for (const line of trouble.lines) note(line);
    return trouble.exitCode;
  }
}

function program(): Command {
  const root = new Command("rowcast")
    .description("Live Postgres rows in the terminal.")
    .usage("[options] [command]")
    .showHelpAfterError("(--help shows what there is)")
    .configureHelp({ showGlobalOptions: true })
    .addHelpText("after", AFTER_HELP)
    .exitOverride()
    .allowExcessArguments()
    .addOption(
      new Option("--url <address>", "where Rowcast is")
        .env("ROWCAST_URL")
        .default(DEFAULT_URL)
        .argParser(address),
    )
    .addOption(new Option("--token <jwt>", "who you are, where that is asked").env("ROWCAST_TOKEN"));
  const place = (): Place => {
    const { url, token } = root.opts<{ url: string; token?: string }>();
    return { url, ...(token && { token }) }; // ROWCAST_TOKEN= is none
  };
  const open = () => openSession(place());
  addCommands(root, open);
  addWatch(root, place, open);
  addStatus(root, open);
  root.action(async () => {
    const [unknown] = root.args;
    if (unknown !== undefined) {
      root.error(`error: unknown command '${printable(unknown)}'`, { code: "commander.unknownCommand" });
    }
    if (isInteractive()) return runShell(place());
    if (process.stdin.isTTY) throw new UsageError("To be interactive it needs a terminal; name a command.");
    await runLines(open());
  });
  return root;
}

/** Of a process that does one thing: Ctrl-C ends that, and it. */
function openSession(place: Place): Session {
  const output = processOutput();
  const abort = new AbortController();
  process.once("SIGINT", () => abort.abort());
  const { signal } = abort;
  const onPause = (seconds: number): void => output.note(`too many requests: going on in ${seconds} s`);
  return {
    api: createApi({ ...place, signal, onPause }),
    output,
    ask: isInteractive() ? askAtTerminal(signal) : null,
    signal,
    saw: () => {},
  };
}
