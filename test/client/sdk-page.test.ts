/** What docs/sdk.md and the README show of the SDK is what it takes: each of their blocks, checked as a file of its own. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { PROJECT_DIR } from "../../dev/config.ts";

const run = promisify(execFile);

/** A block whose first line is `// orders.ts` is the file that others import. */
const NAMED = /^\/\/ (\w+\.ts)$/m;

test.each(["docs/sdk.md", "README.md"])("%s: every block in TypeScript is right", async (page) => {
  const text = await readFile(join(PROJECT_DIR, page), "utf8");
  const blocks = [...text.matchAll(/^```(tsx?)\n(.*?)^```$/gms)];
  expect(blocks.length).toBeGreaterThan(0);
  await mkdir(join(PROJECT_DIR, ".wrangler"), { recursive: true });
  // Within the project, where imports are found.
  const folder = await mkdtemp(join(PROJECT_DIR, ".wrangler", "sdk-"));
  try {
    for (const [index, [, language = "", source = ""]] of blocks.entries()) {
      const name = NAMED.exec(source.split("\n")[0] ?? "")?.[1] ?? `block-${index + 1}.${language}`;
      const pragma = source.includes("adapters/preact") ? "/** @jsxImportSource preact */" : "";
      const here = source.replaceAll(/"\.\/(client|protocol)\//g, '"../../$1/');
      await writeFile(join(folder, name), `${pragma}${here}\nexport {};\n`);
    }
    const compilerOptions = {
      lib: ["ES2024", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
      jsx: "react-jsx",
      noUnusedLocals: false,
    };
    const config = { extends: "../../tsconfig.json", compilerOptions, include: ["*.ts", "*.tsx"] };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
    const tsc = join(PROJECT_DIR, "node_modules/typescript/bin/tsc");
    const { stdout } = await run(process.execPath, [tsc, "-p", "."], { cwd: folder }).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout).toBe("");
  } finally {
    await rm(folder, { recursive: true });
  }
});
