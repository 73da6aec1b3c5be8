/** A real Chromium: one that is installed, or the one that comes as an npm package. */
import { constants } from "node:fs";
import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import npmChromium, { inflate } from "@sparticuz/chromium";
import { chromium, type Browser } from "playwright-core";

const INSTALLED = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/opt/google/chrome/chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/** Chromium has no sandbox for root, and none where the machine does not let it make one: what it opens here is ours alone. */
const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];

export interface LaunchedBrowser {
  readonly browser: Browser;
  /** Closes it, and takes away what was unpacked for it. */
  close(): Promise<void>;
}

/**
 * Launches CHROME_PATH when it is set; otherwise the first installed one that starts, and if none does, the npm package's.
 *
 * @throws what went wrong with each of them.
 */
export async function launchChromium(): Promise<LaunchedBrowser> {
  const given = process.env["CHROME_PATH"];
  if (given) return launch(given);
  const failures: unknown[] = [];
  for (const path of INSTALLED) {
    if (!(await isExecutable(path))) continue;
    try {
      return await launch(path);
    } catch (error) {
      failures.push(error); // A stub that only says how to install it, for one.
    }
  }
  try {
    return await launchUnpacked();
  } catch (error) {
    failures.push(error);
    throw new AggregateError(
      failures,
      `No Chromium starts. Install one, or set CHROME_PATH.\n${failures.map(String).join("\n")}`,
      { cause: error },
    );
  }
}

async function launch(
  executablePath: string,
  env?: NodeJS.ProcessEnv,
  folder?: string,
): Promise<LaunchedBrowser> {
  const browser = await chromium.launch({
    executablePath,
    args: ARGS,
    ...(env && { env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value ?? ""])) }),
  });
  return {
    browser,
    async close() {
      await browser.close();
      if (folder) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Unpacked anew each time, 2 s: one that an interrupted run left half unpacked would be taken for whole. */
async function launchUnpacked(): Promise<LaunchedBrowser> {
  const folder = await mkdtemp(join(tmpdir(), "rowcast-chromium-"));
  const former = process.env["TMPDIR"];
  try {
    process.env["TMPDIR"] = folder; // The package knows no other place.
    const path = await npmChromium.executablePath();
    const env = { ...process.env, FONTCONFIG_PATH: join(folder, "fonts") };
    return await launch(path, env, folder).catch(async (error: unknown) => {
      if (!String(error).includes("shared libraries")) throw error;
      // The few libraries that a bare machine lacks come along, made for Amazon's.
      const libraries = await inflate(
        join(import.meta.dirname, "../../node_modules/@sparticuz/chromium/bin/al2023.tar.br"),
      );
      return launch(path, { ...env, LD_LIBRARY_PATH: join(libraries, "lib") }, folder);
    });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  } finally {
    if (former === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = former;
  }
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false, // not there
  );
}
