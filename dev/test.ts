/**
 * `npm test`: the static checks, each counted as one test, then every test there is. Goes on after a failure, so that one
 * run tells everything. The last line is `N passed, N failed`; exit code 1 when anything failed. Arguments are passed on
 * to vitest, and then it alone runs: `npm test -- test/sql`.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROJECT_DIR } from "./config.ts";

const CHECKS = [
  { name: "format", command: ["node_modules/prettier/bin/prettier.cjs", "--check", "--log-level=warn", "."] },
  { name: "lint", command: ["node_modules/oxlint/bin/oxlint"] },
  { name: "types", command: ["dev/types.ts"] },
  // The browser tests and the Worker's assets want it.
  { name: "build", command: ["dev/build.ts"] },
] as const;

interface Outcome {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
}

const vitestArguments = process.argv.slice(2);
const outcomes: Outcome[] = [];
if (vitestArguments.length === 0) {
  for (const { name, command } of CHECKS) {
    console.log(`\n=== ${name}`);
    const ok = (await runNode(command)) === 0;
    outcomes.push({ name, passed: ok ? 1 : 0, failed: ok ? 0 : 1 });
  }
}
outcomes.push(await runVitest(vitestArguments));

console.log("");
for (const { name, passed, failed } of outcomes) {
  console.log(`${failed === 0 ? "ok    " : "FAILED"} ${name}: ${passed} passed, ${failed} failed`);
}
const total = (key: "passed" | "failed") => outcomes.reduce((sum, outcome) => sum + outcome[key], 0);
console.log(`${total("passed")} passed, ${total("failed")} failed`);
process.exitCode = total("failed") === 0 ? 0 : 1;

/** Counted from vitest's own report. A run that ends badly with no failing test in it (a file that does not load, an error between tests) counts as one failure. */
async function runVitest(args: readonly string[]): Promise<Outcome> {
  console.log("\n=== tests");
  const folder = await mkdtemp(join(tmpdir(), "rowcast-report-"));
  const report = join(folder, "vitest.json");
  try {
    const code = await runNode([
      "node_modules/vitest/vitest.mjs",
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${report}`,
      ...args,
    ]);
    const text = await readFile(report, "utf8").catch(() => "{}");
    const { numPassedTests = 0, numFailedTests = 0 } = JSON.parse(text) as {
      numPassedTests?: number;
      numFailedTests?: number;
    };
    const failed = code === 0 ? numFailedTests : Math.max(1, numFailedTests);
    return { name: "tests", passed: numPassedTests, failed };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function runNode(command: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, command, { cwd: PROJECT_DIR, stdio: "inherit" });
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}
