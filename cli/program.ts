import { Command } from "commander";
import { addWatch } from "./watch.ts";

/** The command line, with every command on it. */
export function program(): Command {
  const root = new Command("rowcast")
    .description("Live Postgres rows in the terminal.")
    .showHelpAfterError("(--help shows what there is)");
  addWatch(root);
  return root;
}
