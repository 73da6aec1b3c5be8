/** Wrangler as a process: its lines are shown, its secrets go in by stdin, never by argument. */
import { spawn } from "node:child_process";
import { PROJECT_DIR } from "./config.ts";

export interface Wrangler {
  /** Whether it ended well. `input` is what it reads from stdin; `variables` are added to its environment. */
  run(
    args: readonly string[],
    options?: { input?: string; variables?: Record<string, string>; quiet?: boolean },
  ): Promise<boolean>;
}

/** @param script what Node runs; the tests have a stand-in. */
export function createWrangler(script: string): Wrangler {
  return {
    run: (args, { input = "", variables = {}, quiet = false } = {}) =>
      new Promise((resolve, reject) => {
        const output = quiet ? "ignore" : "inherit";
        const child = spawn(process.execPath, [script, ...args], {
          cwd: PROJECT_DIR,
          env: { ...withoutSettings(process.env), ...variables },
          stdio: ["pipe", output, output],
        });
        child.once("error", reject);
        child.once("close", (code) => resolve(code === 0));
        child.stdin?.on("error", () => undefined); // It may end without reading.
        child.stdin?.end(input);
      }),
  };
}

/** A child has no use for the addresses and secrets that we were given. */
function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !/(DATABASE_URL|_SECRET|_SECRET_PREVIOUS)$/.test(name)),
  );
}
