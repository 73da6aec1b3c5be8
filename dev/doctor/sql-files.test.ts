import { expect, it } from "vitest";
import { objectsOf, readSqlFiles } from "./sql-files.ts";

it("knows what a file makes, what a later one makes anew, and what one takes away", () => {
  const { functions, relations } = objectsOf([
    {
      name: "1",
      text: `CREATE TABLE IF NOT EXISTS rowcast.a (id int); -- CREATE TABLE rowcast.never (id int);
        create or replace function rowcast.f(x int) returns int language sql as $$ select 1 $$;
        CREATE FUNCTION rowcast.g() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;`,
    },
    {
      name: "2",
      text: `CREATE OR REPLACE FUNCTION rowcast.f(x int) RETURNS int LANGUAGE sql AS $$ SELECT 2 $$;
        CREATE OR REPLACE VIEW rowcast.v AS SELECT 1; DROP FUNCTION IF EXISTS rowcast.g();`,
    },
  ]);
  expect([...functions]).toEqual([["f", "2"]]);
  expect([...relations]).toEqual([
    ["rowcast.a", "1"],
    ["rowcast.v", "2"],
  ]);
});

it("takes grants apart: several privileges, several functions with their arguments", () => {
  const text = `GRANT USAGE ON SCHEMA rowcast TO rowcast_api;
    GRANT SELECT, INSERT ON rowcast.a TO rowcast_api;
    GRANT EXECUTE ON FUNCTION rowcast.f(text,
      integer), rowcast.g() TO rowcast_listener;`;
  expect(
    objectsOf([{ name: "1", text }]).grants.map(({ role, privilege, kind, object }) =>
      [role, privilege, kind, object].join(" | "),
    ),
  ).toEqual([
    "rowcast_api | USAGE | schema | rowcast",
    "rowcast_api | SELECT | table | rowcast.a",
    "rowcast_api | INSERT | table | rowcast.a",
    "rowcast_listener | EXECUTE | function | rowcast.f(text, integer)",
    "rowcast_listener | EXECUTE | function | rowcast.g()",
  ]);
});

it("finds the project's own", () => {
  const { functions, relations, grants } = objectsOf(readSqlFiles());
  for (const name of ["watch", "capture_body", "read", "prune", "probe"])
    expect([...functions.keys()]).toContain(name);
  for (const name of ["public.orders", "rowcast.changes", "rowcast.triggers", "rowcast.probes"])
    expect([...relations.keys()]).toContain(name);
  expect(grants.length).toBeGreaterThan(20);
});
