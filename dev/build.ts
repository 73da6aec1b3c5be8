/**
 * `npm run build`: the dashboard, into web/dist. `wrangler dev` and `wrangler deploy` run it too (wrangler.toml); under
 * `npm start` another process builds, and says so with ROWCAST_SKIP_BUILD. With `--watch` it builds again on change, and
 * tells its parent process after each build how it went.
 */
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
} else if (!process.env["ROWCAST_SKIP_BUILD"]) {
  await build({ root: WEB_DIR, configFile, logLevel: process.env["CI"] ? "warn" : "info" });
}

function tell(message: BuildMessage): void {
  process.send?.(message);
}
