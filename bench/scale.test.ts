import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

test("the table of docs/SCALE.md is what is computed from the code that lays the hubs out", async () => {
  const script = fileURLToPath(new URL("scale.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script]);
  const page = await readFile(new URL("../docs/SCALE.md", import.meta.url), "utf8");
  const cells = (text: string) => text.split("\n").map((line) => line.replaceAll(/\s+/g, " ").trim());
  const rows = cells(stdout).filter((line) => /^\| [0-9]/.test(line));
  expect(rows).toHaveLength(12);
  for (const row of rows) expect(cells(page)).toContain(row);
});
