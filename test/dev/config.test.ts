import { expect, test } from "vitest";
import { readConfig } from "../../dev/config.ts";
import { localDatabaseUrl } from "../../dev/postgres.ts";

test("with nothing set, the stack is where the README says", () => {
  const config = readConfig({}, {});
  expect(config).toMatchObject({ port: 8787, pgPort: 54_329, embedded: true });
  expect(config.databaseUrl).toBe("postgres://rowcast:rowcast@127.0.0.1:54329/rowcast");
  expect(config.dataDir).toMatch(/\/\.data$/);
});

test("the environment wins over .dev.vars", () => {
  expect(readConfig({ PORT: "9000" }, { PORT: "9001", PG_PORT: "9002" })).toMatchObject({
    port: 9000,
    pgPort: 9002,
  });
});

test("a DATABASE_URL of the user's means that no Postgres is started, from either place", () => {
  const mine = "postgres://me:secret@db.example.com/shop";
  expect(readConfig({ DATABASE_URL: mine }, {})).toMatchObject({ databaseUrl: mine, embedded: false });
  expect(readConfig({}, { DATABASE_URL: mine })).toMatchObject({ databaseUrl: mine, embedded: false });
});

test("the embedded database's own address in .dev.vars follows PG_PORT", () => {
  expect(readConfig({ PG_PORT: "9002" }, { DATABASE_URL: localDatabaseUrl(54_329) })).toMatchObject({
    databaseUrl: localDatabaseUrl(9002),
    embedded: true,
  });
});

test.for(["0", "65536", "8787x", "-1", "1e3"])("PORT=%s is refused, and named", (text) => {
  expect(() => readConfig({ PORT: text }, {})).toThrow(`PORT is "${text}"`);
});

test("a DATABASE_URL that is no address of a Postgres is refused without being shown", () => {
  const read = () => readConfig({ DATABASE_URL: "mysql://me:secret@host/db" }, {});
  expect(read).toThrow(/DATABASE_URL is no address/);
  expect(read).not.toThrow(/secret/);
});

test("one port for both is refused", () => {
  expect(() => readConfig({ PORT: "9000", PG_PORT: "9000" }, {})).toThrow("PORT and PG_PORT are both 9000");
});
