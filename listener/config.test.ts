import { expect, test } from "vitest";
import { ConfigError, maySleep, readConfig } from "./config.ts";

const good = {
  DATABASE_URL: "postgres://user:hunter2@db.example.com:5432/shop",
  WORKER_URL: "https://rowcast.example.com",
  INGEST_SECRET: "s3cret-of-the-worker",
};

function problemsOf(env: Record<string, string | undefined>): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test("three variables are enough, the rest has defaults", () => {
  expect(readConfig(good)).toMatchObject({
    WORKER_URL: "https://rowcast.example.com/",
    KEEPALIVE_MS: 25_000,
    ANSWER_TIMEOUT_MS: 10_000,
    BATCH_CHANGES: 1_000,
    BATCH_BYTES: 1_000_000,
    OUTBOX_RETENTION_MS: 3_600_000,
    LOG_LEVEL: "info",
  });
});

test.each([
  ["Neon", "ep-cool-lake-123.eu-central-1.aws.neon.tech", undefined, true],
  ["Neon, and told not to", "ep-cool-lake-123.eu-central-1.aws.neon.tech", "prevent", false],
  ["another Postgres", "db.example.com", undefined, false],
  ["another that sleeps too", "db.example.com", "auto", true],
  ["a name that only looks like Neon's", "neon.tech.example.com", undefined, false],
])("it lets go of an idle database by itself only at Neon: %s", (_, host, SUSPEND, expected) => {
  const config = readConfig({ ...good, DATABASE_URL: `postgres://u:p@${host}/shop`, SUSPEND });
  expect(maySleep(config)).toBe(expected);
});

test("SUSPEND takes auto and prevent only", () => {
  expect(problemsOf({ ...good, SUSPEND: "never" })).toEqual(["SUSPEND is neither auto nor prevent"]);
});

test("every missing variable is named at once, with an example", () => {
  const problems = problemsOf({ INGEST_SECRET: "" });
  expect(problems).toHaveLength(3);
  expect(problems[0]).toMatch(/^DATABASE_URL is missing: set it to postgres:/);
  expect(problems[1]).toMatch(/^WORKER_URL is missing: .*http:\/\/localhost:8787/);
  expect(problems[2]).toMatch(/^INGEST_SECRET is missing: /);
});

test.each([
  ["db-pooler.eu.neon.tech", "db.eu.neon.tech"],
  ["ep-cool-rain-123456-pooler.eu-central-1.aws.neon.tech", "ep-cool-rain-123456.eu-central-1.aws.neon.tech"],
])("the pooled host %s is refused with the direct one", (pooled, direct) => {
  const problems = problemsOf({ ...good, DATABASE_URL: `postgres://user:hunter2@${pooled}/shop` });
  expect(problems).toEqual([
    `DATABASE_URL names the pooled host ${pooled}, where LISTEN never delivers: use the direct host ${direct}`,
  ]);
});

test("a login that is to be bound to the TLS channel needs one", () => {
  const bound = "postgres://user@db.example.com/shop?channel_binding=require";
  for (const search of ["", "&sslmode=disable"])
    expect(problemsOf({ ...good, DATABASE_URL: bound + search })).toEqual([
      "DATABASE_URL asks for channel_binding=require, which only TLS has: add &sslmode=verify-full",
    ]);
  expect(problemsOf({ ...good, DATABASE_URL: `${bound}&sslmode=require` })).toEqual([]);
});

test("a host that only has pooler somewhere in its name is fine", () => {
  expect(problemsOf({ ...good, DATABASE_URL: "postgres://u@my-pooler2.x/db" })).toEqual([]);
  expect(problemsOf({ ...good, DATABASE_URL: "postgres://u@db.x-pooler.net/db" })).toEqual([]);
});

test.each([
  ["DATABASE_URL", "mysql://user:hunter2@host/db"],
  ["DATABASE_URL", "host=localhost password=hunter2"],
  ["WORKER_URL", "localhost:8787"],
  ["WORKER_URL", "https://user:hunter2@rowcast.example.com"],
  ["INGEST_SECRET", "hunter2\n"],
  ["KEEPALIVE_MS", "soon"],
  ["KEEPALIVE_MS", "0"],
  ["KEEPALIVE_MS", "1e3"],
  ["ANSWER_TIMEOUT_MS", "-5"],
  ["BATCH_CHANGES", "0"],
  ["BATCH_BYTES", "99999999999"],
  ["OUTBOX_RETENTION_MS", "1.5"],
  ["LOG_LEVEL", "loud"],
])("a wrong %s is named, once, and not shown: %j", (name, value) => {
  const problems = problemsOf({ ...good, [name]: value });
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(new RegExp(`^${name} `));
  expect(problems[0]).not.toContain("hunter2");
});
