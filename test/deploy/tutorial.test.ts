/** docs/watch-your-own-table.md, typed as it stands: each block in its order, against a stack of its own. */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { PROJECT_DIR } from "../../dev/config.ts";
import { startStack, type Stack } from "../support/stack.ts";

const INSTALL = "npm install && npm start";
const LOCAL_DATABASE = "postgres://rowcast:rowcast@127.0.0.1:54329/rowcast";

interface Block {
  readonly language: string;
  readonly text: string;
}

let stack: Stack;
let blocks: Block[];
beforeAll(async () => {
  stack = await startStack();
  const page = await readFile(join(PROJECT_DIR, "docs/watch-your-own-table.md"), "utf8");
  blocks = [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = "", text = ""]) => ({
    language,
    text,
  }));
});
afterAll(() => stack?.stop());

test("what the page shows is what comes", async () => {
  let shown: Output | null = null;
  for (const { language, text } of blocks) {
    if (language === "sql") await stack.database.client.query(text);
    else if (language === "text") await shown?.has(text.trim().split("\n"));
    else if (language === "sh") shown = await follow(text.trim());
    else if (language === "ts") shown = await program(text);
    else throw new Error(`the page has a block of ${language}, which nothing here runs`);
  }
  expect(blocks.map(({ language }) => language).filter((language) => language === "text")).toHaveLength(3);
});

interface Output {
  /** Resolves when all of `lines` have come, in this order; rejects when something else of their kind did. */
  has(lines: readonly string[]): Promise<void>;
}

/** A command of the second terminal; ready when the stream has begun. */
async function follow(command: string): Promise<Output | null> {
  if (command === INSTALL) return null; // The stack is up.
  const child = spawn("sh", [
    "-c",
    `exec ${command.replace("localhost:8787", stack.url.replace("http://", ""))}`,
  ]);
  return watch(child, /^event: welcome$/, /^event: invoices:/);
}

async function program(text: string): Promise<Output> {
  await mkdir(join(PROJECT_DIR, ".wrangler"), { recursive: true });
  // Within the project, where imports are found.
  const folder = await mkdtemp(join(PROJECT_DIR, ".wrangler", "tutorial-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "invoices.ts");
  const here = text
    .replace("./client/index.ts", "../../client/index.ts")
    .replace("http://localhost:8787", stack.url)
    .replace(LOCAL_DATABASE, stack.database.url);
  expect(here).not.toContain("8787");
  expect(here).not.toContain("54329");
  await writeFile(file, here);
  return watch(spawn(process.execPath, [file]), /^3 invoices$/, /^[^03] invoices$/);
}

/** Resolves when a line matches `ready`; lines that match `kind` are what the page may show. */
async function watch(child: ReturnType<typeof spawn>, ready: RegExp, kind: RegExp): Promise<Output> {
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  let shown = "";
  let errors = ""; // apart: into a pipe curl writes how far it is, without an end of line
  child.stdout?.on("data", (chunk: Buffer) => {
    shown += chunk.toString();
    lines.splice(0, lines.length, ...shown.split("\n").slice(0, -1));
    waiting.forEach((look) => look());
  });
  child.stderr?.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const ended = new Promise<never>((_, reject) => {
    child.once("close", (code) => reject(new Error(`it ended (${code}):\n${shown}${errors}`)));
  });
  ended.catch(() => undefined); // Also after the test, when it is ended.
  const until = (holds: () => boolean): Promise<void> =>
    Promise.race([
      ended,
      new Promise<void>((resolve) => {
        const look = () => {
          if (!holds()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    ]);
  await until(() => lines.some((line) => ready.test(line)));
  return {
    async has(wanted) {
      const come = () => lines.filter((line) => kind.test(line));
      await until(() => come().length >= wanted.length);
      expect(come()).toEqual(wanted);
    },
  };
}
