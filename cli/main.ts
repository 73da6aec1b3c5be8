/** `npm run cli`. */
import process from "node:process";
import { run } from "./program.ts";
import { endWithReader } from "./terminal.ts";

endWithReader();
process.exitCode = await run(process.argv.slice(2));
