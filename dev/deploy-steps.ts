/**
 * A deployment as steps, in the order in which each needs the one before: tables before the code that reads them, secrets
 * before the Worker that wants them, the smoke test last. Every step can be done again: what has been done is found done.
 */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { PROTOCOL_VERSION } from "../protocol/version.ts";
import { misread } from "../worker/settings.ts";
import { findProblems, keepSettings, WORKER_SECRETS, type Settings } from "./deploy-settings.ts";
import type { Wrangler } from "./deploy-wrangler.ts";
import { migrate, MigrationError } from "./migrate.ts";
import { setLogins } from "./roles.ts";

/** A step that failed: the message says what to do before the next run. */
export class DeployError extends Error {
  readonly code = "DEPLOY";
  override readonly name = "DeployError";
}

export interface DeployOptions {
  /** As wrangler.toml names it; "" is the one at its top. */
  readonly environment: string;
  readonly settings: Settings;
  /** Where the settings are kept that are made on the way. */
  readonly settingsFile: string;
  readonly wrangler: Wrangler;
  /** The Worker's, as wrangler.toml has them for this environment. */
  readonly variables: Readonly<Record<string, unknown>>;
  readonly say: (line: string) => void;
  /** Whether CLOUDFLARE_API_TOKEN is set: then nobody has to be logged in. */
  readonly hasToken: boolean;
  /** How long a new address may take until it answers, in ms. */
  readonly patienceMs: number;
}

/** Whatever needs no account and no database: the settings as far as they are there, and the bundle. */
export async function rehearse(options: DeployOptions): Promise<void> {
  const { say, settings, settingsFile } = options;
  say("1/2 settings");
  checkSettings(options);
  const missing = ["MIGRATION_DATABASE_URL", "DATABASE_URL", "INGEST_SECRET"].filter(
    (name) => !(name in settings),
  );
  if (missing.length > 0)
    say(`    not set yet, in ${settingsFile} or the environment: ${missing.join(", ")}`);
  say("2/2 Worker: wrangler deploy --dry-run");
  await deployWorker(options, ["--dry-run"]);
  say(
    "nothing was deployed: without --dry-run it goes on with the login, migrations, roles, secrets, Worker and smoke test",
  );
}

/**
 * The whole of it.
 *
 * @returns where the Worker answers.
 * @throws {DeployError} at the first step that fails.
 */
export async function deploy(options: DeployOptions): Promise<string> {
  const { say } = options;
  say("1/7 settings");
  checkSettings(options);
  const { MIGRATION_DATABASE_URL: ownerUrl } = options.settings;
  if (ownerUrl === undefined) {
    throw new DeployError(
      `MIGRATION_DATABASE_URL is missing: put the owner's direct address into ${options.settingsFile} (deploy/deploy.vars.example).`,
    );
  }
  say("2/7 login at Cloudflare");
  await checkLogin(options);
  say("3/7 migrations");
  await applyMigrations(ownerUrl, say);
  say("4/7 roles and secret of the parts");
  const settings = { ...options.settings, ...(await makeMissing(ownerUrl, options)) };
  say("5/7 secrets of the Worker");
  await uploadSecrets(options, settings);
  say("6/7 Worker");
  const address = await deployWorker(options);
  const url = settings.WORKER_URL ?? address;
  if (url === null) {
    throw new DeployError("The Worker is deployed, its address unknown: set WORKER_URL and run again.");
  }
  say(`7/7 smoke test of ${new URL("/health", url).href}`);
  await smoke(url, options.environment, options.patienceMs);
  return url;
}

function checkSettings({ settings, settingsFile, variables, environment, say }: DeployOptions): void {
  const host = URL.parse(settings.DATABASE_URL ?? "")?.hostname;
  // From a shell in which the local stack was at home.
  if (host === "localhost" || host?.startsWith("127.")) {
    say("    warning: DATABASE_URL names this machine, where Cloudflare finds nothing");
  }
  const problems = findProblems(settings);
  if (problems.length > 0) {
    throw new DeployError(
      `Put right in ${settingsFile} or the environment, then run again:\n${indented(problems)}`,
    );
  }
  const wrong = misread(variables).map(({ variable, message }) => `${variable} ${message}`);
  if (wrong.length > 0) {
    const section = environment === "" ? "[vars]" : `[env.${environment}.vars]`;
    throw new DeployError(
      `Put right in wrangler.toml, under ${section}, then run again:\n${indented(wrong)}`,
    );
  }
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join("\n");
}

async function checkLogin({ wrangler, hasToken }: DeployOptions): Promise<void> {
  if (hasToken || (await wrangler.run(["whoami", "--json"], { quiet: true }))) return;
  throw new DeployError(
    "Nobody is logged in: `npx wrangler login`, or set CLOUDFLARE_API_TOKEN. Then run again.",
  );
}

async function applyMigrations(ownerUrl: string, say: (line: string) => void): Promise<void> {
  try {
    const applied = await migrate(ownerUrl, { onLog: (line) => say(`    ${line}`) });
    if (applied.length === 0) say("    nothing to do");
  } catch (error) {
    if (!(error instanceof MigrationError)) throw error;
    throw new DeployError(
      `${error.message}\nNothing of this run was kept in the database. Put it right and run again.`,
    );
  }
}

/**
 * Logins and secret are made once: others in a later run would shut out the listener that runs with the first ones. So
 * they are made only where there is a file to keep them in, never on a build machine that forgets.
 */
async function makeMissing(
  ownerUrl: string,
  { settings, settingsFile, say }: DeployOptions,
): Promise<Settings> {
  const missing = (["DATABASE_URL", "INGEST_SECRET"] as const).filter((name) => settings[name] === undefined);
  if (missing.length === 0) {
    say("    nothing to do");
    return {};
  }
  if (!existsSync(settingsFile)) {
    throw new DeployError(
      `${missing.join(" and ")} missing, and no ${settingsFile} to keep new ones in: set them, or make the file.`,
    );
  }
  const made: Record<string, string> = {};
  if (settings.DATABASE_URL === undefined) {
    const logins = await setLogins(ownerUrl).catch((error: unknown) => {
      throw new DeployError(
        `The roles could not be given passwords: ${error instanceof Error ? error.message : String(error)}. ` +
          "MIGRATION_DATABASE_URL has to be of a role that may alter roles; or set DATABASE_URL and LISTENER_DATABASE_URL yourself.",
      );
    });
    made["DATABASE_URL"] = logins.api;
    made["LISTENER_DATABASE_URL"] = logins.listener;
  }
  if (settings.INGEST_SECRET === undefined) made["INGEST_SECRET"] = randomBytes(32).toString("base64url");
  await keepSettings(settingsFile, made);
  say(`    made and kept in ${settingsFile}: ${Object.keys(made).join(", ")}`);
  return made;
}

async function uploadSecrets(
  { wrangler, environment, say }: DeployOptions,
  settings: Settings,
): Promise<void> {
  const secrets = Object.fromEntries(
    WORKER_SECRETS.flatMap((name) => (settings[name] === undefined ? [] : [[name, settings[name]]])),
  );
  say(`    ${Object.keys(secrets).join(", ")}`);
  const ok = await wrangler.run(["secret", "bulk", "--env", environment], { input: JSON.stringify(secrets) });
  if (!ok) throw new DeployError("Wrangler did not take the secrets: see its lines above. Then run again.");
}

/** @returns the address that wrangler gave; null when there is none. */
async function deployWorker(
  { wrangler, environment }: DeployOptions,
  extra: string[] = [],
): Promise<string | null> {
  const folder = await mkdtemp(join(tmpdir(), "rowcast-deploy-"));
  try {
    const report = join(folder, "wrangler.ndjson");
    const args = ["deploy", "--env", environment, "--outdir", join(folder, "bundle"), ...extra];
    if (!(await wrangler.run(args, { variables: { WRANGLER_OUTPUT_FILE_PATH: report } }))) {
      throw new DeployError("Wrangler did not deploy the Worker: see its lines above. Then run again.");
    }
    return findAddress(await readFile(report, "utf8").catch(() => ""));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Wrangler reports one JSON object a line; `targets` holds addresses and, for custom domains, more text. */
function findAddress(report: string): string | null {
  for (const line of report.split("\n").filter(Boolean)) {
    const entry = JSON.parse(line) as { type?: string; targets?: string[] };
    const address = entry.targets
      ?.map((target) => target.split(" ")[0] ?? "")
      .find((target) => URL.canParse(target));
    if (entry.type === "deploy" && address !== undefined) return address;
  }
  return null;
}

/** A new address takes a while until it is known everywhere, and old code may answer for a moment. */
async function smoke(url: string, environment: string, patienceMs: number): Promise<void> {
  const until = performance.now() + patienceMs;
  for (let pauseMs = 250; ; pauseMs = Math.min(2 * pauseMs, 5_000)) {
    const problem = await findHealthProblem(url);
    if (problem === null) return;
    if (performance.now() + pauseMs > until) {
      throw new DeployError(
        `The Worker is deployed, but ${problem}. \`npx wrangler tail --env "${environment}"\` shows what it says; ` +
          `\`npx wrangler rollback --env "${environment}"\` brings back the version before.`,
      );
    }
    await wait(pauseMs);
  }
}

async function findHealthProblem(url: string): Promise<string | null> {
  try {
    const answer = await fetch(new URL("/health", url), { signal: AbortSignal.timeout(10_000) });
    if (!answer.ok) return `/health answers ${answer.status}`;
    const { protocol } = (await answer.json()) as { protocol?: unknown };
    return protocol === PROTOCOL_VERSION ? null : `/health speaks protocol ${String(protocol)}`;
  } catch (error) {
    const { message, cause } = error as Error;
    return `/health does not answer (${cause instanceof Error ? cause.message : message})`;
  }
}
