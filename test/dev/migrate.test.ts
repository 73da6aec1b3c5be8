import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { migrate, SQL_DIR } from "../../dev/migrate.ts";
import { createEmptyDatabase, type TestDatabase } from "../support/postgres.ts";

let database: TestDatabase;
let folder: string;
beforeEach(async () => {
  database = await createEmptyDatabase();
  folder = await mkdtemp(join(tmpdir(), "rowcast-test-"));
});
afterEach(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

async function sqlFiles(): Promise<string[]> {
  return (await readdir(SQL_DIR)).filter((name) => name.endsWith(".sql")).toSorted();
}

test("every file is applied once, in order, and a second run finds nothing to do", async () => {
  const names = (await sqlFiles()).map((name) => name.replace(/\.sql$/, ""));
  expect(await migrate(database.url)).toEqual(names);
  expect(await migrate(database.url)).toEqual([]);
});

test("where there is nothing to apply, capturing functions that do not fit their tables are written anew", async () => {
  await migrate(database.url);
  const bodies = async () =>
    (
      await database.client.query<{ proname: string; prosrc: string }>(
        "SELECT proname, prosrc FROM pg_proc WHERE proname ~ '^capture_(insert|update|delete)_' ORDER BY 1",
      )
    ).rows;
  const before = await bodies();
  expect(before.length).toBeGreaterThan(0);
  for (const { proname, prosrc } of before) {
    // As in a dump that was loaded: the table has another oid.
    await database.client
      .query(`CREATE OR REPLACE FUNCTION rowcast.${proname}() RETURNS trigger LANGUAGE plpgsql
      AS $x$${prosrc.replaceAll(/TG_RELID = \d+/g, "TG_RELID = 4000000000")}$x$`);
  }
  expect(await bodies()).not.toEqual(before);
  await Promise.all([migrate(database.url), migrate(database.url)]);
  expect(await bodies()).toEqual(before);
});

test("two runs at once: one applies, the other waits and finds nothing to do", async () => {
  const [one, other] = await Promise.all([migrate(database.url), migrate(database.url)]);
  expect([one.length, other.length].toSorted((a, b) => a - b)).toEqual([0, (await sqlFiles()).length]);
});

test("every file is plain SQL that runs by itself, as psql -f sends it, twice over", async () => {
  for (let round = 0; round < 2; round += 1) {
    for (const name of await sqlFiles()) {
      const text = await readFile(join(SQL_DIR, name), "utf8");
      expect(text, `${name} has commands of psql's own`).not.toMatch(/^\\/m);
      await expect(database.client.query(text), name).resolves.toBeDefined();
    }
  }
  expect(await migrate(database.url), "and the library takes it from there").toHaveLength(
    (await sqlFiles()).length,
  );
});

test("a mistake is told with file, line and column, and nothing of the run is kept", async () => {
  await writeFile(join(folder, "001_fine.sql"), "CREATE TABLE fine (id int);\n");
  await writeFile(join(folder, "002_wrong.sql"), "-- ü\nSELECT 1;\n\n  SELEC 2;\n");
  await expect(migrate(database.url, { dir: folder })).rejects.toThrow(
    'sql/002_wrong.sql:4:3: syntax error at or near "SELEC" (42601)',
  );
  const { rows } = await database.client.query("SELECT to_regclass('fine') AS fine");
  expect(rows).toEqual([{ fine: null }]);
});

test("other files beside the migrations are left alone", async () => {
  await writeFile(join(folder, "001_fine.sql"), "SELECT 1");
  await writeFile(join(folder, "README.md"), "# not SQL");
  expect(await migrate(database.url, { dir: folder })).toEqual(["001_fine"]);
});

test("a database that is not there is named, and how to get one", async () => {
  const nowhere = new URL(database.url);
  nowhere.port = "1";
  await expect(migrate(nowhere.href)).rejects.toThrow(
    /127\.0\.0\.1:1 .*ECONNREFUSED.*npm start.*DATABASE_URL/,
  );
});
