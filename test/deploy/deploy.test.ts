/** `npm run deploy` as a process of its own, against a Postgres of its own and a stand-in for wrangler. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseEnv } from "node:util";
import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { PROJECT_DIR } from "../../dev/config.ts";
import { deploy, rehearse } from "../../dev/deploy-steps.ts";
import { findFreePort } from "../../dev/ports.ts";
import { startPostgres, type Postgres } from "../../dev/postgres.ts";
import { PROTOCOL_VERSION } from "../../protocol/version.ts";

const STAND_IN = fileURLToPath(new URL("wrangler-stand-in.ts", import.meta.url));
const SECRET = "a-secret-that-must-not-be-shown";

let folder: string;
let postgres: Postgres;
let worker: ReturnType<typeof createServer>;
let target: string;
/** What the Worker's /health answers. */
let health: { status: number; body: object };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rowcast-test-"));
  await chmod(folder, 0o711); // Run as root, Postgres is somebody else.
  // Of its own: roles, and their passwords, are of a whole cluster.
  postgres = await startPostgres({
    dataDir: join(folder, "postgres"),
    port: await findFreePort(),
    fsync: false,
  });
  worker = createServer((_request, response) => {
    response.writeHead(health.status, { "content-type": "application/json" });
    response.end(JSON.stringify(health.body));
  });
  worker.listen(0, "127.0.0.1");
  await once(worker, "listening");
  target = `http://127.0.0.1:${(worker.address() as AddressInfo).port}`;
});
afterAll(async () => {
  worker.close();
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
});

let settingsFile: string;
let notesFile: string;
beforeEach(async () => {
  const own = await mkdtemp(join(folder, "run-"));
  settingsFile = join(own, "deploy.vars");
  notesFile = join(own, "notes.ndjson");
  health = { status: 200, body: { status: "ok", protocol: PROTOCOL_VERSION } };
  await writeFile(settingsFile, `MIGRATION_DATABASE_URL=${postgres.url}\n`);
});

interface Note {
  readonly args: readonly string[];
  readonly stdin: string;
  readonly variables: readonly string[];
}

async function run(args: readonly string[] = [], variables: Record<string, string> = {}) {
  const child = spawn(process.execPath, ["dev/deploy.ts", ...args], {
    cwd: PROJECT_DIR,
    env: {
      PATH: process.env["PATH"],
      ROWCAST_DEPLOY_VARS: settingsFile,
      ROWCAST_WRANGLER: STAND_IN,
      STAND_IN_NOTES: notesFile,
      STAND_IN_TARGET: target,
      ...variables,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, "close")) as [number];
  const text = await readFile(notesFile, "utf8").catch(() => "");
  const notes = text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Note);
  return { code, output, notes, steps: [...output.matchAll(/^(\d)\/7/gm)].map((match) => Number(match[1])) };
}

const kept = async () => parseEnv(await readFile(settingsFile, "utf8"));

test("from an empty database to a Worker that answers, in order, and a second run changes nothing", async () => {
  const first = await run(["--env", "staging"]);
  expect(first).toMatchObject({ code: 0, steps: [1, 2, 3, 4, 5, 6, 7] });
  expect(first.notes.map(({ args }) => args.slice(0, 4))).toEqual([
    ["whoami", "--json"],
    ["secret", "bulk", "--env", "staging"],
    ["deploy", "--env", "staging", "--outdir"],
  ]);
  const made = await kept();
  expect((await stat(settingsFile)).mode & 0o777).toBe(0o600);
  expect(JSON.parse(first.notes[1]?.stdin ?? "")).toEqual({
    DATABASE_URL: made["DATABASE_URL"],
    INGEST_SECRET: made["INGEST_SECRET"],
  });
  await expectLogin(made["DATABASE_URL"], "rowcast_api");
  await expectLogin(made["LISTENER_DATABASE_URL"], "rowcast_listener");

  const second = await run(["--env", "staging"]);
  expect(second.output).toContain("warning: DATABASE_URL names this machine");
  expect(second).toMatchObject({ code: 0, steps: [1, 2, 3, 4, 5, 6, 7] });
  expect(await kept()).toEqual(made);
  await expectLogin(made["LISTENER_DATABASE_URL"], "rowcast_listener");
});

test("secrets go to wrangler by stdin: no argument, variable or line of the log has them", async () => {
  const { code, output, notes } = await run([], {
    DATABASE_URL: `postgres://rowcast_api:${SECRET}@db.example.com/shop`,
    INGEST_SECRET: SECRET,
    JWT_SECRET: `${SECRET}-and-long-enough`,
  });
  expect(code).toBe(0);
  expect(notes.filter(({ stdin }) => stdin.includes(SECRET)).map(({ args }) => args[0])).toEqual(["secret"]);
  expect(JSON.stringify(notes.map(({ args }) => args))).not.toContain(SECRET);
  for (const { variables } of notes) {
    expect(variables.filter((name) => /SECRET|DATABASE_URL/.test(name))).toEqual([]);
  }
  expect(output).not.toContain(SECRET);
});

const GIVEN = { DATABASE_URL: "postgres://rowcast_api:x@db.example.com/shop", INGEST_SECRET: SECRET };

test.each([
  {
    step: 1,
    what: "a secret that is too short",
    broken: { INGEST_SECRET: "short" },
    advice: /INGEST_SECRET needs/,
  },
  {
    step: 1,
    what: "a pooled owner",
    broken: { MIGRATION_DATABASE_URL: "postgres://o:p@db-pooler.eu.neon.tech/shop" },
    advice: /take -pooler out/,
  },
  { step: 2, what: "nobody logged in", broken: { STAND_IN_FAILS: "whoami" }, advice: /npx wrangler login/ },
  {
    step: 3,
    what: "no database",
    broken: { MIGRATION_DATABASE_URL: "postgres://o:p@127.0.0.1:1/shop" },
    advice: /does not let us in/,
  },
  {
    step: 4,
    what: "new logins with nowhere to keep them",
    broken: { DATABASE_URL: "", ROWCAST_DEPLOY_VARS: "/nowhere/deploy.vars" },
    advice: /DATABASE_URL missing, and no \/nowhere/,
  },
  {
    step: 5,
    what: "secrets refused",
    broken: { STAND_IN_FAILS: "secret" },
    advice: /did not take the secrets/,
  },
  {
    step: 6,
    what: "the Worker refused",
    broken: { STAND_IN_FAILS: "deploy" },
    advice: /did not deploy the Worker/,
  },
  {
    step: 7,
    what: "a Worker that does not answer",
    broken: { WORKER_URL: "http://127.0.0.1:1", SMOKE_PATIENCE_MS: "0" },
    advice: /does not answer.*wrangler rollback --env ""/,
  },
])(
  "step $step fails, by $what: it says what to do, nothing after it runs, the next run goes through",
  async (scene) => {
    const owner = { MIGRATION_DATABASE_URL: postgres.url };
    const failed = await run([], { ...owner, ...GIVEN, ...scene.broken });
    expect(failed.code, failed.output).toBe(1);
    expect(failed.steps.at(-1)).toBe(scene.step);
    expect(failed.output).toMatch(scene.advice);
    expect(failed.output).not.toContain(SECRET);
    expect(failed.output).not.toMatch(/^\s+at /m);
    expect(failed.notes.map(({ args }) => args[0])).toEqual(
      ["whoami", "secret", "deploy"].slice(0, callsUntil(scene.step)),
    );
    expect(await run([], { ...owner, ...GIVEN })).toMatchObject({ code: 0 });
  },
);

test("an old Worker that still answers is no success", async () => {
  health.body = { status: "ok", protocol: PROTOCOL_VERSION - 1 };
  const { code, output } = await run([], { ...GIVEN, SMOKE_PATIENCE_MS: "0" });
  expect(code).toBe(1);
  expect(output).toContain(`/health speaks protocol ${PROTOCOL_VERSION - 1}`);
});

test("a variable of wrangler.toml that says nothing it may stops it before anything is done", async () => {
  const calls: unknown[] = [];
  const options = {
    environment: "staging",
    settings: {},
    settingsFile,
    wrangler: { run: (...call: unknown[]) => Promise.resolve(calls.push(call) > 0) },
    variables: { HUB_SOCKETS: "4k", ANONYMOUS: "none", ALLOWED_ORIGINS: "app.example.com" },
    say: () => undefined,
    hasToken: true,
    patienceMs: 0,
  };
  for (const run of [deploy, rehearse]) {
    await expect(run(options)).rejects.toThrow(
      /wrangler\.toml, under \[env\.staging\.vars\][^]*\n {2}HUB_SOCKETS has to be[^]*\n {2}ALLOWED_ORIGINS has to be/,
    );
  }
  expect(calls).toEqual([]);
  // Nothing is wrong with the variables that are shipped: then the rehearsal reaches wrangler.
  await rehearse({ ...options, variables: { HUB_SOCKETS: "4000" } });
  expect(calls).toHaveLength(1);
});

test("an environment that wrangler.toml does not have is named, with those it has", async () => {
  const { code, output } = await run(["--env", "nowhere"]);
  expect(code).toBe(1);
  expect(output).toMatch(/"nowhere"[^]*\["staging"\]/);
  expect(output).not.toMatch(/\n\s+at /);
});

test("a wrong argument is named", async () => {
  const { code, output } = await run(["--enviroment", "staging"]);
  expect(code).toBe(1);
  expect(output).toMatch(/--enviroment/);
});

/** How often wrangler is called in all when step `step` is the last. */
function callsUntil(step: number): number {
  return [0, 0, 1, 1, 1, 2, 3, 3][step] ?? 0;
}

async function expectLogin(url: string | undefined, role: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ current_user: string }>("SELECT current_user");
  await client.end();
  expect(rows).toEqual([{ current_user: role }]);
}
