/** `npm run cli -- <command>`: one file a command, each adds itself. */
import process from "node:process";
import { program } from "./program.ts";

// `… | head` closes the pipe when it has enough: that is an end, not a fault.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

await program().parseAsync();
