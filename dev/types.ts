/** `npm run types`: the type checker over every tsconfig of a folder. */
import { execFile } from "node:child_process";
import { globSync } from "node:fs";
import { promisify } from "node:util";
import { PROJECT_DIR } from "./config.ts";

const run = promisify(execFile);

const configs = globSync("*/**/tsconfig*.json", {
  cwd: PROJECT_DIR,
  exclude: (path) => /(^|\/)(node_modules|dist|\..*)$/.test(path),
}).toSorted();

for (const config of configs) {
  try {
    await run(process.execPath, ["node_modules/typescript/bin/tsc", "-p", config], { cwd: PROJECT_DIR });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    console.error(`${config}:\n${stdout}${stderr}`.trimEnd());
    process.exitCode = 1;
  }
}
