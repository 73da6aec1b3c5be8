import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ensureDevVars, readDevVars } from "../../dev/dev-vars.ts";
import { localDatabaseUrl } from "../../dev/postgres.ts";

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rowcast-test-"));
  file = join(folder, ".dev.vars");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** What every local stack gets. */
const SETTINGS = ["ALLOW_HUB_OVERRIDE", "ANONYMOUS", "RATE_LIMITS", "MAX_SOCKETS_PER_ADDRESS"];

test("the first start makes a secret of its own and a file that only its owner reads", async () => {
  const { values, added } = await ensureDevVars(file, 5555);
  expect(added).toEqual(["INGEST_SECRET", "DATABASE_URL", "WORKER_URL", ...SETTINGS]);
  expect(values["INGEST_SECRET"]).toMatch(/^[\w-]{43}$/);
  expect(values["DATABASE_URL"]).toBe(localDatabaseUrl(5555));
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const { values: others } = await ensureDevVars(join(folder, "others"), 5555);
  expect(others["INGEST_SECRET"]).not.toBe(values["INGEST_SECRET"]);
});

test("an existing file is kept, comments and all, and only what is missing is added", async () => {
  const mine = '# mine\nINGEST_SECRET="keep me"\nDATABASE_URL=postgres://me@example.com/db\nHUB_SHARDS=3';
  await writeFile(file, mine);
  const { values, added } = await ensureDevVars(file, 5555);
  expect(added).toEqual(["WORKER_URL", ...SETTINGS]);
  expect(values).toMatchObject({ INGEST_SECRET: "keep me", HUB_SHARDS: "3" });
  expect(await readFile(file, "utf8")).toBe(
    `${mine}\nWORKER_URL=http://localhost:8787\n${SETTINGS.map((name) => `${name}=${values[name]}\n`).join("")}`,
  );
});

test("a second start changes nothing but the mode of a file that others could read", async () => {
  await ensureDevVars(file, 5555);
  const before = await readFile(file, "utf8");
  await chmod(file, 0o644);
  const { added } = await ensureDevVars(file, 5555);
  expect(added).toEqual([]);
  expect(await readFile(file, "utf8")).toBe(before);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test("the address of the embedded database follows PG_PORT", async () => {
  await ensureDevVars(file, 5555);
  await ensureDevVars(file, 6666);
  expect((await readDevVars(file))["DATABASE_URL"]).toBe(localDatabaseUrl(6666));
});

test("a name without a value counts as missing", async () => {
  await writeFile(file, "INGEST_SECRET=\n");
  const { values } = await ensureDevVars(file, 5555);
  expect(values["INGEST_SECRET"]).toMatch(/^[\w-]{43}$/);
});
