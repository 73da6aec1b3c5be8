/** `npm run doctor` against the real parts: whole, and with one thing wrong at a time. */
import { spawn } from "@lydell/node-pty";
import { execFile } from "node:child_process";
import { readFile, rm, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PROJECT_DIR } from "../../dev/config.ts";
import { CHECKS, examine } from "../../dev/doctor/examine.ts";
import type { Result } from "../../dev/doctor/check.ts";
import { readSettings, type Settings } from "../../dev/doctor/settings.ts";
import { formatEnvFile } from "../../dev/env-file.ts";
import { findFreePort } from "../../dev/ports.ts";
import { createDatabase } from "../support/postgres.ts";
import { INGEST_SECRET, startStack, type Stack } from "../support/stack.ts";

const ESCAPE = "\u001b";
const JWT_SECRET = "a-secret-for-the-doctor-0123456789";

let stack: Stack;
let variables: Record<string, string>;
beforeAll(async () => {
  stack = await startStack({
    vars: { FALLBACK_AFTER_MS: "2000", ANONYMOUS: "none", JWT_SECRET },
    listener: { KEEPALIVE_MS: "300" },
  });
  variables = { DATABASE_URL: stack.database.url, WORKER_URL: stack.url, INGEST_SECRET, JWT_SECRET };
});
afterAll(() => stack?.stop());

const settingsOf = (values: Record<string, string> = {}): Promise<Settings> =>
  readSettings({}, {}, { name: "the test", values: { ...variables, ...values } });

/** The checks that did not go well, by name; the skipped ones as `null`. */
async function wrong(settings: Settings, now?: () => number): Promise<Record<string, Result | null>> {
  const results = await examine(settings, undefined, now);
  expect(results.map(({ name }) => name)).toEqual(CHECKS.map(({ name }) => name));
  return Object.fromEntries(
    results
      .filter(({ status }) => status !== "ok")
      .map((result) => [result.name, result.status === "skipped" ? null : result]),
  );
}

async function untilNoListener(): Promise<void> {
  for (let n = 1; n !== 0;) {
    const { rows } = await stack.database.client.query<{ n: number }>(
      "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'rowcast listener' AND datname = current_database()",
    );
    n = rows[0]?.n ?? 0;
  }
}

const found = (detail: RegExp, fix: RegExp): unknown =>
  expect.objectContaining({ detail: expect.stringMatching(detail), fix: expect.stringMatching(fix) });

describe("The self-test", () => {
  it("finds nothing wrong where nothing is, and times each hop to this machine", async () => {
    const results = await examine(await settingsOf());
    expect(results.filter(({ status }) => status !== "ok")).toEqual([]);
    const probe = results.find(({ name }) => name === "probe");
    expect(probe).toMatchObject({
      hops: ["database", "outbox", "listener", "log", "hub", "client"].map((hop) => ({ hop })),
    });
  });

  it("finds that nothing runs, and goes on as far as it can", async () => {
    const port = await findFreePort();
    const nothing = await wrong(
      await settingsOf({
        DATABASE_URL: `postgres://u:p@127.0.0.1:${port}/d`,
        WORKER_URL: `http://127.0.0.1:${port}`,
      }),
    );
    const start = /npm start/;
    expect(nothing).toEqual({
      database: found(/ECONNREFUSED/, start),
      notifications: null,
      version: null,
      migrations: null,
      rights: null,
      triggers: null,
      outbox: null,
      Worker: found(/ECONNREFUSED/, start),
      secret: null,
      variables: null,
      listener: null,
      stream: null,
      probe: null,
      clocks: null,
    });
  });

  it("finds a wrong secret, and one that is missing", async () => {
    expect(await wrong(await settingsOf({ INGEST_SECRET: "another-secret-0123456789" }))).toEqual({
      secret: found(/does not accept/, /the same/),
    });
    expect(await wrong(await settingsOf({ INGEST_SECRET: "" }))).toEqual({
      INGEST_SECRET: found(/not set/, /\.deploy\.vars/),
      secret: null,
    });
  });

  it("finds that nobody may probe without a token", async () => {
    const { stream, probe } = await wrong(await settingsOf({ JWT_SECRET: "" }));
    expect(stream).toEqual(found(/^401/, /--token/));
    expect(probe).toEqual(found(/^401/, /--token/));
  });

  it("finds a variable of the Worker that says nothing it may", async () => {
    const other = await startStack({ vars: { HUB_SHARDS: "two", ANONYMOUS: "write", LOG_REQUESTS: "some" } });
    try {
      const { url, database } = other;
      const settings = await settingsOf({ DATABASE_URL: database.url, WORKER_URL: url, JWT_SECRET: "" });
      expect(await wrong(settings)).toEqual({
        variables: found(/^HUB_SHARDS has to be a whole number .* LOG_REQUESTS$/, /wrangler\.toml/),
      });
      expect(other.logs()).toMatch(/"a variable of the Worker is misread","variable":"HUB_SHARDS"/);
    } finally {
      await other.stop();
    }
  });

  it("finds a pooled host, before anything is asked of it", async () => {
    const url = new URL(stack.database.url);
    const { port, pathname } = url;
    const pooled = `postgres://u:p@ep-a-b-1-pooler.invalid:${port}${pathname}`;
    const { "direct host": direct } = await wrong(await settingsOf({ DATABASE_URL: pooled }));
    expect(direct).toEqual(found(/ep-a-b-1-pooler\.invalid is a pooler/, /ep-a-b-1\.invalid/));
  });

  it("finds a wrong password, and a database that is not there", async () => {
    const url = new URL(stack.database.logins.listener);
    url.password = "wrong";
    expect((await wrong(await settingsOf({ DATABASE_URL: url.href })))["database"]).toEqual(
      found(/password authentication failed/, /npm run roles/),
    );
    const gone = new URL(stack.database.url);
    gone.pathname = "/nowhere";
    expect((await wrong(await settingsOf({ DATABASE_URL: gone.href })))["database"]).toEqual(
      found(/does not exist/, /name of the database/),
    );
  });

  it("finds a migration that was not applied, and a function that is gone all the same", async () => {
    const { client } = stack.database;
    await client.query("DELETE FROM rowcast_migrations.applied WHERE name = '013_probe'");
    expect((await wrong(await settingsOf()))["migrations"]).toEqual(
      found(/not applied: 013_probe\.sql/, /npm run migrate/),
    );
    await client.query("INSERT INTO rowcast_migrations.applied (name, run_on) VALUES ('013_probe', now())");
    await client.query("DROP FUNCTION rowcast.outbox_size(), rowcast.probe(text)");
    expect(await wrong(await settingsOf())).toMatchObject({
      migrations: found(/outbox_size, probe/, /-f sql\/013_probe\.sql && .* -f sql\/020_prune_floor\.sql/),
      triggers: null,
      outbox: null,
      probe: found(/^503: .*npm run migrate/, /checks above/),
    });
    // What it says is what helps.
    for (const file of ["013_probe", "020_prune_floor"])
      await client.query(await readFile(join(PROJECT_DIR, `sql/${file}.sql`), "utf8"));
    expect(await wrong(await settingsOf())).toEqual({});
  });

  it("finds a right that a role lacks", async () => {
    const { client } = stack.database;
    await client.query("REVOKE EXECUTE ON FUNCTION rowcast.row_json(anyelement) FROM rowcast_api");
    const { rights } = await wrong(await settingsOf());
    const grant = /GRANT EXECUTE ON FUNCTION rowcast\.row_json\(anyelement\) TO rowcast_api/;
    expect(rights).toEqual(found(/rowcast_api lacks EXECUTE/, grant));
    await client.query(grant.exec(JSON.stringify(rights))?.[0] ?? "");
    expect(await wrong(await settingsOf())).toEqual({});
  });

  it("finds a trigger that is missing or disabled on a watched table", async () => {
    const { client } = stack.database;
    await client.query("DROP TRIGGER _rowcast_update ON orders");
    const watch = /SELECT rowcast\.watch\('orders'\)/;
    expect(await wrong(await settingsOf())).toEqual({
      triggers: found(/orders lacks _rowcast_update/, watch),
    });
    await client.query("SELECT rowcast.watch('orders')");
    await client.query("ALTER TABLE orders DISABLE TRIGGER _rowcast_delete");
    const enable = /ALTER TABLE orders ENABLE TRIGGER "_rowcast_delete"/;
    expect(await wrong(await settingsOf())).toEqual({ triggers: found(/disabled/, enable) });
    await client.query(`ALTER TABLE orders ENABLE TRIGGER "_rowcast_delete"`);
    await client.query("ALTER TABLE rowcast.probes DISABLE TRIGGER USER");
    expect(await wrong(await settingsOf({ DATABASE_URL: stack.database.logins.listener }))).toMatchObject({
      triggers: null, // not for this login to see
      probe: found(/lost at the hop "outbox"/, /rowcast\.sync\('rowcast\.probes'\)/),
    });
    await client.query("ALTER TABLE rowcast.probes ENABLE TRIGGER USER");
  });

  it("finds that the Worker uses another database than this", async () => {
    const other = await createDatabase();
    const { probe, listener } = await wrong(await settingsOf({ DATABASE_URL: other.url }));
    await other.drop();
    expect(probe).toEqual(found(/not written to this database/, /not that of the Worker/));
    expect(listener).toEqual(found(/none is connected to this database/, /DATABASE_URL/));
  });

  it("finds a clock that is an hour off: here, as the two others agree", async () => {
    const { clocks, ...others } = await wrong(await settingsOf(), () => Date.now() + 3_600_000);
    expect(clocks).toEqual(found(/database 60 min behind.*Worker 60 min behind/, /^this machine's clock/));
    expect(others).toEqual({});
  });

  it("finds that the listener is down: at once by the database, and then by the Worker too", async () => {
    await stack.killListener();
    await untilNoListener(); // Postgres notices a moment later.
    const { listener, probe, ...others } = await wrong(await settingsOf());
    expect(listener).toEqual(found(/none is connected|the Worker hears none/, /npm run listener/));
    expect(probe).toEqual(found(/brought by the log itself/, /start a listener/));
    expect(others).toEqual({});
    // The probe has waited for the log to take over: now the Worker knows.
    expect((await wrong(await settingsOf()))["listener"]).toEqual(
      found(/the Worker hears none/, /npm run listener/),
    );
    await stack.startListener();
    expect(await wrong(await settingsOf())).toEqual({});
  });
});

describe("npm run doctor", () => {
  let folder: string;
  let file: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "rowcast-test-"));
    file = join(folder, "vars");
    await writeFile(file, formatEnvFile(variables));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const environment = (more: Record<string, string> = {}) => ({
    PATH: process.env["PATH"] ?? "",
    ROWCAST_DEV_VARS: file,
    ...more,
  });
  const run = (...args: string[]) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const options = { cwd: PROJECT_DIR, env: environment() };
      execFile(process.execPath, ["dev/doctor.ts", ...args], options, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
    });
  /** What comes out of it in a terminal. */
  const inTerminal = (more: Record<string, string>) =>
    new Promise<string>((resolve) => {
      let text = "";
      const env = environment({ TERM: "xterm-256color", ...more });
      const terminal = spawn(process.execPath, ["dev/doctor.ts", "--url", "http://127.0.0.1:1"], {
        cwd: PROJECT_DIR,
        cols: 200,
        env,
      });
      terminal.onData((data) => (text += data));
      terminal.onExit(() => resolve(text));
    });

  it("ticks off each check, without colours in a pipe, and ends with 0; nothing secret is shown", async () => {
    const { code, stdout } = await run();
    expect(stdout).not.toContain(ESCAPE);
    expect(stdout).not.toMatch(/✗|stack-ingest-secret|a-secret-for|rowcast:/);
    for (const { name } of CHECKS) expect(stdout).toMatch(new RegExp(`^✓ ${name} `, "m"));
    expect(stdout).toMatch(/probe +\d+ ms: database [\d.]+ \+ .*\+ client [\d.]+$/m);
    expect(stdout.trimEnd()).toMatch(new RegExp(`\n${CHECKS.length} fine, 0 wrong, 0 skipped$`));
    expect(code).toBe(0);
  });

  it("says all of it as JSON, and ends with 1 when something is wrong", async () => {
    const { code, stdout } = await run("--json", "--url", "http://127.0.0.1:1");
    const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: Result[] };
    expect({ ok, code }).toEqual({ ok: false, code: 1 });
    expect(checks.filter(({ status }) => status === "failed").map(({ name }) => name)).toEqual(["Worker"]);
  });

  it("paints in a terminal, unless NO_COLOR says no", async () => {
    const [painted, plain] = await Promise.all([inTerminal({}), inTerminal({ NO_COLOR: "1" })]);
    expect(painted).toContain(`${ESCAPE}[32m✓`);
    expect(painted).toContain(`${ESCAPE}[31m✗`);
    expect(plain).toContain("✗ Worker");
    for (const colour of [31, 32]) expect(plain).not.toContain(`${ESCAPE}[${colour}m`);
  });

  it("tells what is wrong with the command line", async () => {
    const { code, stderr } = await run("--nonsense");
    expect(code).toBe(1);
    expect(stderr).toMatch(/--nonsense/);
    expect(stderr).not.toMatch(/at .*\.ts:/);
  });
});
