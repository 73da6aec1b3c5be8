import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { historyFile, MAX_LINES, openHistory } from "./history.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rowcast-history-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("lines come back newest first, and only their owner may read the file", async () => {
  const file = join(folder, "new/rowcast/history");
  const history = await openHistory(file);
  for (const line of ["one", " secret", "", "two"]) history.add(line);
  await history.isKept();
  expect((await openHistory(file)).lines).toEqual(["two", "one"]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test("a file that has grown long, or that others could read, is put right", async () => {
  const file = join(folder, "history");
  const lines = Array.from({ length: 3 * MAX_LINES }, (_, index) => `line ${index}`);
  await writeFile(file, `${lines.join("\n")}\n`, { mode: 0o644 });
  const history = await openHistory(file);
  await history.isKept();
  expect(history.lines).toHaveLength(MAX_LINES);
  expect((await readFile(file, "utf8")).split("\n")).toHaveLength(MAX_LINES + 1);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test("where nothing can be written, there is a history all the same, for this once", async () => {
  const history = await openHistory("/dev/null/history");
  history.add("one");
  await history.isKept();
  expect(history.lines).toEqual([]);
});

test("it lies under the user's state folder", () => {
  expect(historyFile({ XDG_STATE_HOME: "/state" })).toBe("/state/rowcast/history");
  expect(historyFile({ XDG_STATE_HOME: "not/absolute" })).toMatch(/\/\.local\/state\/rowcast\/history$/);
});
