/** The wrangler of this project, and the bundle that it would upload. */
import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { PROJECT_DIR } from "./config.ts";

const BUNDLE_TIMEOUT_MS = 60_000;

/** The script that Node runs. */
export function findWrangler(): string {
  const require = createRequire(import.meta.url);
  return join(dirname(require.resolve("wrangler/package.json")), "bin", "wrangler.js");
}

/**
 * Bundles what `wrangler deploy` would upload. The dashboard is not built: nobody asks for it where this is used.
 *
 * @returns the file that workerd begins with, in `outdir`.
 */
export async function bundleWorker(outdir: string): Promise<string> {
  await mkdir(join(PROJECT_DIR, "web/dist"), { recursive: true }); // wrangler insists on the folder of the assets
  const config = join(PROJECT_DIR, "wrangler.toml");
  await promisify(execFile)(
    process.execPath,
    [findWrangler(), "deploy", "--dry-run", "--outdir", outdir, "--config", config],
    {
      cwd: PROJECT_DIR,
      env: { ...process.env, ROWCAST_SKIP_BUILD: "1", WRANGLER_SEND_METRICS: "false" },
      timeout: BUNDLE_TIMEOUT_MS,
    },
  );
  return join(outdir, "index.js");
}
