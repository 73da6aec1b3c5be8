/** The commands of the shell: those that scripts have too, and those that only make sense here. */
import { Command } from "commander";
import { addCommands } from "../commands/all.ts";
import { addStatus } from "../commands/overview.ts";
import { ids, moreStatuses } from "../options.ts";
import type { Open, Output } from "../session.ts";
import type { FilterInput } from "../../client/index.ts";
import { printable } from "../text.ts";

/** What the shell does for its commands. */
export interface Controls {
  /** What is shown live: null for nothing. */
  watch(filter: FilterInput | null): void;
  quit(): void;
  /** What the connection is, for `status`. */
  readonly connection: () => readonly (readonly [name: string, value: unknown])[];
}

/** A program for one line; `controls` is null where lines are piped in. */
export function shellProgram(open: Open, output: Output, controls: Controls | null): Command {
  const print = (text: string): void => output.note(text.trimEnd().split("\n").map(printable).join("\n"));
  const root = new Command("")
    .exitOverride()
    .helpOption("--help", "what it takes")
    .configureHelp({
      helpWidth: Math.min(output.columns, 100),
      // There is no name to be typed before it.
      commandUsage: (command) => `${command.name()} ${command.usage()}`.trim(),
    })
    .configureOutput({ writeOut: print, writeErr: print });
  addCommands(root, open);
  addStatus(root, open, controls?.connection);
  if (controls !== null) addControls(root, controls);
  // `help` is one of the commands.
  root.usage("<command> …").helpOption(false);
  return root;
}

function addControls(root: Command, controls: Controls): void {
  root
    .command("watch")
    .description("show changes live (as at the start), only some, or `off`")
    .argument("[what...]", "statuses: pending,shipped; or off")
    .option("--status <list>", "the same", moreStatuses)
    .option("--orders <list>", "only orders with these ids: 1,2", ids)
    .action((what: string[], { status = [], orders }: { status?: string[]; orders?: number[] }) => {
      if (what.length === 1 && what[0] === "off") return controls.watch(null);
      const statuses = [...status, ...what.flatMap((text) => moreStatuses(text))];
      controls.watch({ ...(statuses.length > 0 && { statuses }), ...(orders && { orderIds: orders }) });
    });
  root
    .command("quit")
    .alias("exit")
    .description("end (Ctrl-D too)")
    .action(() => controls.quit());
}
