/**
 * The listener's image, as far as it can be tried without a Docker engine: the steps of the Dockerfile are carried out in a
 * folder, and what they copy is started as it starts it. The base image and the build itself are not tried.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, matchesGlob } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { PROJECT_DIR } from "../../dev/config.ts";
import { findFreePort } from "../../dev/ports.ts";
import { createDatabase } from "../support/postgres.ts";
import { SECRET, startChangeLog } from "../listener/change-log-stand-in.ts";

const run = promisify(execFile);
const DEPLOY_DIR = join(PROJECT_DIR, "deploy/listener");
const PROMISED_MS = 1_000;

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

let instructions: Instruction[];
/** What the image's /app holds. */
let app: string;

beforeAll(async () => {
  const text = await readFile(join(DEPLOY_DIR, "Dockerfile"), "utf8");
  instructions = text
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => /^[A-Z]/.test(line))
    .map((line) => ({ name: line.split(" ")[0] ?? "", rest: line.slice(line.indexOf(" ") + 1) }));
  app = await mkdtemp(join(tmpdir(), "rowcast-image-"));
  const ignored = await readIgnored();
  for (const { name, rest } of instructions) {
    if (name === "RUN") await run("sh", ["-c", `${rest} --prefer-offline --no-audit`], { cwd: app });
    if (name !== "COPY" || rest.startsWith("--from")) continue;
    const [to = ".", ...from] = rest.split(" ").toReversed();
    for (const path of from.toReversed()) {
      await cp(join(PROJECT_DIR, path), to === "./" ? join(app, path) : join(app, to), {
        recursive: true,
        filter: (source) => !ignored(source.slice(PROJECT_DIR.length)),
      });
    }
  }
}, 60_000);
afterAll(() => rm(app, { recursive: true, force: true }));

const instruction = (name: string) => instructions.findLast((line) => line.name === name)?.rest ?? "";

test("the image holds the listener, the protocol and what they import: no test, no secret, no tool", async () => {
  expect((await readdir(app)).toSorted()).toEqual([
    ".npmrc",
    "listener",
    "node_modules",
    "package-lock.json",
    "package.json",
    "protocol",
  ]);
  const files = await readdir(app, { recursive: true });
  expect(
    files.filter((file) => !file.startsWith("node_modules") && /\.test\.ts$|tsconfig/.test(file)),
  ).toEqual([]);
  expect(files).not.toContain("node_modules/typescript");
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(app, file))).size));
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(30_000_000);
});

test("a file of secrets that lies among its folders does not get into it", async () => {
  const ignored = await readIgnored();
  for (const path of [
    "listener/.env",
    "listener/prod.env",
    "protocol/.env.local",
    "listener/.dev.vars",
    ".dev.vars",
  ]) {
    expect(ignored(path), path).toBe(true);
  }
  expect(ignored("listener/main.ts")).toBe(false);
});

test("it does not run as root, and process 1 is Node itself", () => {
  expect(instruction("USER")).toBe("node");
  expect(JSON.parse(instruction("CMD"))).toEqual(["node", "listener/main.ts"]);
});

test("without a configuration it says what is missing and ends with code 2", async () => {
  const { exited, stderr } = start({});
  expect(await exited).toBe(2);
  expect(stderr()).toMatch(
    /DATABASE_URL is missing.*\n.*WORKER_URL is missing.*\n.*INGEST_SECRET is missing/,
  );
});

test("it delivers, its health check agrees, and SIGTERM ends it within a second with code 0", async () => {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  const log = await startChangeLog();
  onTestFinished(() => log.close());
  const METRICS_PORT = String(await findFreePort());
  const listener = start({
    DATABASE_URL: database.url,
    WORKER_URL: log.url,
    INGEST_SECRET: SECRET,
    METRICS_PORT,
  });
  await listener.line("caught up");
  await database.client.query("INSERT INTO orders (customer_name, product_name) VALUES ('Ada', 'Desk')");
  await log.until(() => log.changes.length > 0);

  const [shell, ...check] = JSON.parse(instruction("HEALTHCHECK").replace(/^.*?CMD /, "")) as string[];
  expect(shell).toBe("node");
  const health = spawn(process.execPath, check, { env: { METRICS_PORT } });
  expect(await once(health, "close")).toEqual([0, null]);

  const from = performance.now();
  listener.kill("SIGTERM");
  expect(await listener.exited).toBe(0);
  expect(performance.now() - from).toBeLessThan(PROMISED_MS);
  const afterwards = spawn(process.execPath, check, { env: { METRICS_PORT } });
  expect(await once(afterwards, "close")).toEqual([1, null]);
});

test("fly.toml, railway.json and the systemd unit start what the image starts", async () => {
  const text = (name: string) => readFile(join(DEPLOY_DIR, name), "utf8");
  expect(await text("rowcast-listener.service")).toMatch(
    /^ExecStart=\/usr\/bin\/node \S+\/listener\/main\.ts$/m,
  );
  const fly = await text("fly.toml");
  expect(fly).toMatch(/^dockerfile = "Dockerfile"$/m);
  expect(fly).not.toMatch(/^\[\[?(http_)?service/m);
  const railway = JSON.parse(await text("railway.json")) as {
    build: { dockerfilePath: string };
    deploy: Record<string, unknown>;
  };
  expect(dirname(join(PROJECT_DIR, railway.build.dockerfilePath))).toBe(DEPLOY_DIR);
  expect(railway.deploy).toMatchObject({ sleepApplication: false, restartPolicyType: "ALWAYS" });
});

function start(env: Readonly<Record<string, string>>) {
  const [, ...args] = JSON.parse(instruction("CMD")) as string[];
  const child = spawn(process.execPath, args, {
    cwd: app,
    env: { NODE_ENV: "production", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const lines = createInterface({ input: child.stdout });
  const exited = once(child, "close").then(([code]) => code as number | null);
  return {
    exited,
    stderr: () => errors,
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    line: (event: string) =>
      Promise.race([
        new Promise<void>((resolve) => {
          lines.on("line", (line) => {
            if ((JSON.parse(line) as { msg: string }).msg === event) resolve();
          });
        }),
        exited.then((code) => {
          throw new Error(`the listener ended (${code}): ${errors}`);
        }),
      ]),
  };
}

/** The rules of a .dockerignore as far as ours uses them: the last one that matches decides. */
async function readIgnored(): Promise<(path: string) => boolean> {
  const text = await readFile(join(DEPLOY_DIR, "Dockerfile.dockerignore"), "utf8");
  const rules = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return (path) => {
    let ignored = false;
    for (const rule of rules) {
      const pattern = rule.replace(/^!/, "");
      const matches =
        pattern === "*" || matchesGlob(path, pattern) || path === pattern || path.startsWith(`${pattern}/`);
      if (matches) ignored = !rule.startsWith("!");
    }
    return ignored;
  };
}
