/**
 * A stand-in for wrangler, since no test has an account: it says that it is one, notes what it was given (arguments, stdin,
 * the names of its variables) as a line of STAND_IN_NOTES, fails where STAND_IN_FAILS says so, and reports a deployment the
 * way wrangler 4 does.
 */
import { appendFile } from "node:fs/promises";
import { text } from "node:stream/consumers";

const { STAND_IN_NOTES = "", STAND_IN_FAILS, STAND_IN_TARGET, WRANGLER_OUTPUT_FILE_PATH } = process.env;
const args = process.argv.slice(2);

console.log(`a stand-in for wrangler: ${args[0]}`);
const note = { args, stdin: await text(process.stdin), variables: Object.keys(process.env) };
await appendFile(STAND_IN_NOTES, `${JSON.stringify(note)}\n`);
if (args[0] === STAND_IN_FAILS) process.exit(1);
if (args[0] === "deploy" && WRANGLER_OUTPUT_FILE_PATH !== undefined) {
  const lines = [{ type: "wrangler-session" }, { type: "deploy", targets: [STAND_IN_TARGET] }];
  await appendFile(WRANGLER_OUTPUT_FILE_PATH, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}
