/** wrangler.toml: what `npm run deploy -- --dry-run` makes of it, and that staging is what production is. */
import { execFile } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { PROJECT_DIR } from "../../dev/config.ts";
import { readWorkerConfig } from "../../dev/wrangler-config.ts";
import { findWrangler } from "../../dev/wrangler.ts";

interface Limit {
  readonly name: string;
  readonly namespace_id: string;
  readonly simple: object;
}

const run = promisify(execFile);

test.each(["", "staging"])("npm run deploy -- --dry-run --env '%s' is clean", async (env) => {
  await mkdir(join(PROJECT_DIR, "web/dist"), { recursive: true }); // wrangler wants it, built or not.
  const { stdout, stderr } = await run(process.execPath, ["dev/deploy.ts", "--dry-run", "--env", env], {
    cwd: PROJECT_DIR,
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      // Other tests serve the dashboard meanwhile.
      ROWCAST_SKIP_BUILD: "1",
      ROWCAST_DEPLOY_VARS: "/nowhere/deploy.vars",
      WRANGLER_HIDE_BANNER: "true",
      WRANGLER_SEND_METRICS: "false",
    },
  });
  expect(stderr).toBe("");
  expect(stdout).not.toMatch(/warning|error/i);
  expect(stdout).toMatch(/CHANGE_LOG[^]*HUB[^]*--dry-run: exiting now[^]*nothing was deployed/);
});

test("the container of the listener is bundled and finds its image", async () => {
  const folder = join(PROJECT_DIR, "deploy/cloudflare-container");
  const args = ["deploy", "--dry-run", "--containers-rollout=none", "--env", ""];
  const { stdout, stderr } = await run(process.execPath, [findWrangler(), ...args], {
    cwd: folder,
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], WRANGLER_HIDE_BANNER: "true" },
  });
  expect(stderr).toBe("");
  expect(stdout).toMatch(/env\.LISTENER[^]*deploy\/listener\/Dockerfile[^]*--dry-run: exiting now/);
});

test("staging is another Worker with the same bindings, variables and limits", () => {
  const [production, staging] = [readWorkerConfig(), readWorkerConfig("staging")];
  expect([production.name, staging.name]).toEqual(["rowcast", "rowcast-staging"]);
  for (const key of [
    "vars",
    "durable_objects",
    "migrations",
    "assets",
    "observability",
    "kv_namespaces",
    "queues",
  ] as const) {
    expect(staging[key], key).toEqual(production[key]);
  }
  expect(staging.durable_objects.code_update_strategy).toEqual({ mode: "deferred", max_delay: 60 });
  const limits = ({ ratelimits }: { ratelimits: Limit[] }) =>
    ratelimits.map(({ name, simple }) => ({ name, simple }));
  expect(limits(staging)).toEqual(limits(production));
  const ids = [...production.ratelimits, ...staging.ratelimits].map(({ namespace_id }) => namespace_id);
  expect(new Set(ids).size, "limits that share an id share what they count").toBe(ids.length);
});

test("staging says everything again that wrangler does not inherit", async () => {
  const text = await readFile(join(PROJECT_DIR, "wrangler.toml"), "utf8");
  const tables = (prefix: string) =>
    [...text.matchAll(/^\[+([a-z_.]+)\]+$/gm)]
      .map((match) => match[1] ?? "")
      .filter((name) => name.startsWith("env.staging.") === (prefix !== ""))
      .map((name) => name.slice(prefix.length));
  const inherited = ["build", "assets", "migrations", "dev", "observability", "env.staging"];
  expect(tables("env.staging.").toSorted()).toEqual(
    tables("")
      .filter((name) => !inherited.includes(name))
      .toSorted(),
  );
});
