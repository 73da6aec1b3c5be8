/** The built dashboard, as fresh as its sources. */
import { execFile } from "node:child_process";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { PROJECT_DIR } from "../../dev/config.ts";

/** Builds it when there is none, or when something that goes into it is newer. (`npm test` has built it already.) */
export async function buildDashboard(): Promise<void> {
  const built = await stat(join(PROJECT_DIR, "web/dist/index.html")).catch(() => null);
  const sources = await Promise.all(["web", "client", "protocol"].map(newestIn));
  if (built !== null && built.mtimeMs >= Math.max(...sources)) return;
  await promisify(execFile)(process.execPath, ["dev/build.ts"], {
    cwd: PROJECT_DIR,
    env: { ...process.env, NODE_ENV: "production", ROWCAST_SKIP_BUILD: "" },
  });
}

/** When the newest file in a folder of the project was changed, in ms since 1970. */
async function newestIn(folder: string): Promise<number> {
  const entries = await readdir(join(PROJECT_DIR, folder), { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.startsWith(join(PROJECT_DIR, "web/dist")) && !path.endsWith(".test.ts"));
  const times = await Promise.all(files.map(async (path) => (await stat(path)).mtimeMs));
  return Math.max(...times);
}
