/** The types of the client's API are those of the Worker's routes. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { format, resolveConfig } from "prettier";
import { expect, test } from "vitest";
import { PROJECT_DIR } from "../../dev/config.ts";

const run = promisify(execFile);

const HEADER = `/**
 * The Worker's routes as types, for \`hc\`. Made from worker/app.ts by \`vitest run test/client/rest-types.test.ts -u\`: the
 * source itself can only be checked beside the types of its own runtime, which browsers and Node do not have.
 */
import type { Hono } from "hono";
import type { BlankEnv, MergeSchemaPath } from "hono/types";
import type { ContentfulStatusCode, StatusCode } from "hono/utils/http-status";

export type AppType = Hono<BlankEnv,`;

/** Streams, pages, what the listener calls, and the second address of the orders. */
const NOT_FOR_PROGRAMS = ["/", "/api", "/internal", "/orders"];

test("what the client knows of the API is what the Worker answers", async () => {
  const declared = await declarationOf("worker/app.ts");
  const [, ...mounted] = declared
    .replaceAll(/import\("[^"]+"\)\./g, "")
    .replace(/, "\/", [^>]+>;\s*export type App[^]*$/, "")
    .split("| MergeSchemaPath<");
  // In which order the compiler names the routes is its own business.
  const kept = mounted
    .map((part) => ({ part, path: /"([^"]+)">\s*$/.exec(part)?.[1] ?? "" }))
    .filter(({ path }) => !NOT_FOR_PROGRAMS.includes(path))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ part }) => part);
  expect(kept.length).toBeGreaterThan(5);
  const source = `${HEADER} ${kept.map((part) => `| MergeSchemaPath<${part}`).join("")}>;\n`;
  const path = join(PROJECT_DIR, "client/rest-types.ts");
  const text = await format(source, { ...(await resolveConfig(path)), parser: "typescript" });
  await expect(text).toMatchFileSnapshot(path);
});

async function declarationOf(file: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "rowcast-types-"));
  const config = {
    extends: join(PROJECT_DIR, "worker/tsconfig.json"),
    compilerOptions: {
      typeRoots: [join(PROJECT_DIR, "node_modules")],
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      rootDir: PROJECT_DIR,
      outDir: folder,
    },
    include: [],
    files: [join(PROJECT_DIR, file)],
  };
  try {
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
    await run(process.execPath, [join(PROJECT_DIR, "node_modules/typescript/bin/tsc"), "-p", folder]);
    return await readFile(join(folder, file.replace(/\.ts$/, ".d.ts")), "utf8");
  } finally {
    await rm(folder, { recursive: true });
  }
}
