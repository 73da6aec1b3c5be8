/**
 * `npm run deploy [-- --env staging] [--dry-run]`: migrations, roles, secrets, the Worker and a smoke test, in this order.
 * It can be run again at any time, after a failure above all. The listener is deployed on its own: docs/deploy.
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { PROJECT_DIR } from "./config.ts";
import { readSettings } from "./deploy-settings.ts";
import { deploy, DeployError, rehearse, type DeployOptions } from "./deploy-steps.ts";
import { createWrangler } from "./deploy-wrangler.ts";
import { readWorkerConfig } from "./wrangler-config.ts";
import { findWrangler } from "./wrangler.ts";

try {
  const { values } = parseArgs({
    options: { env: { type: "string", default: "" }, "dry-run": { type: "boolean", default: false } },
  });
  const name = values.env === "" ? ".deploy.vars" : `.deploy.vars.${values.env}`;
  const settingsFile = resolve(PROJECT_DIR, process.env["ROWCAST_DEPLOY_VARS"] ?? name);
  const options: DeployOptions = {
    environment: values.env,
    settings: await readSettings(settingsFile, process.env),
    settingsFile,
    variables: readVariables(values.env),
    wrangler: createWrangler(process.env["ROWCAST_WRANGLER"] ?? findWrangler()),
    say: console.log,
    hasToken: Boolean(process.env["CLOUDFLARE_API_TOKEN"]),
    // Tests do not wait for a Worker that will not answer.
    patienceMs: Number(process.env["SMOKE_PATIENCE_MS"] ?? 60_000),
  };
  if (values["dry-run"]) await rehearse(options);
  else console.log(`deployed ${await deploy(options)}. Next, the listener: docs/deploy/README.md`);
} catch (error) {
  const expected =
    error instanceof DeployError || (error as NodeJS.ErrnoException).code?.startsWith("ERR_PARSE_ARGS");
  console.error(expected ? (error as Error).message : error);
  process.exitCode = 1;
}
process.exit();

/** @throws {DeployError} where wrangler.toml is not one, or has no such environment. */
function readVariables(environment: string): Readonly<Record<string, unknown>> {
  try {
    return readWorkerConfig(environment).vars;
  } catch (error) {
    throw new DeployError((error as Error).message);
  }
}
