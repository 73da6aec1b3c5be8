/**
 * `npm run build`: the dashboard, into web/dist. `wrangler dev` and `wrangler deploy` run it too (wrangler.toml), with
 * `--if-older`: what is built is left alone, because `wrangler dev` watches the result and would go round for ever. Under
 * `npm start` another process builds, and says so with ROWCAST_SKIP_BUILD. With `--watch` it builds again on change, and
 * tells its parent process after each build how it went.
 */
import { readdir, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const WEB_DIR = fileURLToPath(new URL("../web", import.meta.url));
const configFile = `${WEB_DIR}/vite.config.ts`;

export interface BuildMessage {
  readonly built: boolean;
}

if (process.argv.includes("--watch")) {
  const watcher = await build({ root: WEB_DIR, configFile, build: { watch: {} }, logLevel: "warn" });
  if (!("on" in watcher)) throw new Error("vite does not watch");
  watcher.on("event", (event) => {
    if (event.code === "BUNDLE_END") console.log(`built in ${event.duration} ms`);
    if (event.code === "END") tell({ built: true });
    if (event.code === "ERROR") tell({ built: false });
  });
} else if (process.env["ROWCAST_SKIP_BUILD"] || (process.argv.includes("--if-older") && (await isBuilt()))) {
  // Somebody else builds, or there is nothing to do.
} else {
  await build({ root: WEB_DIR, configFile, logLevel: process.env["CI"] ? "warn" : "info" });
}

function tell(message: BuildMessage): void {
  process.send?.(message);
}

/** Whether web/dist is newer than everything it is made of. */
async function isBuilt(): Promise<boolean> {
  const built = await stat(`${WEB_DIR}/dist/index.html`).catch(() => null);
  if (built === null) return false;
  for (const folder of [WEB_DIR, ...["client", "protocol"].map((name) => `${WEB_DIR}/../${name}`)]) {
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || entry.parentPath.startsWith(`${WEB_DIR}/dist`)) continue;
      const { mtimeMs } = await stat(`${entry.parentPath}/${entry.name}`);
      if (mtimeMs > built.mtimeMs) return false;
    }
  }
  return true;
}
