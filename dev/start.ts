/** `npm start`: the whole stack in one terminal, until Ctrl-C. Exit code 0 after a wanted stop, 1 otherwise. */
import { DEV_VARS_FILE, readConfig } from "./config.ts";
import { ensureDevVars, readDevVars } from "./dev-vars.ts";
import { MigrationError } from "./migrate.ts";
import { printLine } from "./output.ts";
import { createStack, type Stack } from "./stack.ts";
import { StartError } from "./start-error.ts";

const PARENT_CHECK_MS = 1_000;
const SAME_SIGNAL_MS = 500;

// The terminal may be gone before we are: then there is nobody to tell.
process.stdout.on("error", () => undefined);
process.stderr.on("error", () => undefined);

try {
  process.exitCode = await run();
} catch (error) {
  const expected = error instanceof StartError || error instanceof MigrationError;
  const text = expected ? error.message : error instanceof Error ? error.stack : String(error);
  for (const line of (text ?? "").split("\n")) printLine("rowcast", line);
  process.exitCode = 1;
}
// Not left to the event loop: a connection that fetch keeps for later would hold it for seconds.
process.exit();

async function run(): Promise<number> {
  const config = readConfig(process.env, await readDevVars(DEV_VARS_FILE));
  const stack = createStack({
    ...config,
    buildWeb: !process.env["ROWCAST_SKIP_BUILD"],
    samples: true,
    say: printLine,
    async loadVariables() {
      const { values, added } = await ensureDevVars(DEV_VARS_FILE, config.pgPort);
      if (added.length > 0) printLine("rowcast", `.dev.vars: ${added.join(", ")} added`);
      return values;
    },
  });
  const wanted = onWantedStop(stack);
  try {
    await stack.start();
  } catch (error) {
    if (!wanted.asked()) throw error;
    await wanted.stopped;
    return 0;
  }
  printLine("rowcast", `Postgres  ${config.embedded ? stack.databaseUrl : "as DATABASE_URL says"}`);
  printLine("rowcast", "Ctrl-C ends everything");
  console.log(`ready ${stack.url}`);

  const failure = await Promise.race([stack.failed, wanted.stopped]);
  if (failure === null) return 0;
  printLine("rowcast", `${failure}: everything was stopped`);
  return 1;
}

/** Stops the stack when it is asked for: Ctrl-C, SIGTERM, the terminal closed. Asked again: at once. */
function onWantedStop(stack: Stack): { asked(): boolean; readonly stopped: Promise<null> } {
  const stopped = Promise.withResolvers<null>();
  let askedAt: number | null = null;
  const stop = (why: string) => {
    if (askedAt !== null) {
      // One Ctrl-C comes twice: from the terminal, and passed on by npm.
      if (performance.now() - askedAt < SAME_SIGNAL_MS) return;
      printLine("rowcast", "ending at once");
      stack.kill();
      process.exit(1);
    }
    askedAt = performance.now();
    printLine("rowcast", `${why}: stopping (once more: at once)`);
    void stack.stop().then(() => {
      printLine("rowcast", "stopped");
      stopped.resolve(null);
    });
  };
  process.on("SIGINT", () => stop("Ctrl-C"));
  process.on("SIGTERM", () => stop("SIGTERM"));
  process.on("SIGHUP", () => stop("the terminal was closed"));
  stopWithNpm(() => stop("npm has gone"));
  return { asked: () => askedAt !== null, stopped: stopped.promise };
}

/** When npm is killed and cannot pass on why, whoever started us has gone. */
function stopWithNpm(stop: () => void): void {
  if (process.env["npm_lifecycle_event"] !== "start") return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    stop();
  }, PARENT_CHECK_MS);
  timer.unref();
}
