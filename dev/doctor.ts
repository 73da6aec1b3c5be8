/**
 * `npm run doctor`: looks at each thing that can be wrong, one by one, and says what to do. It changes nothing but the one
 * row of the probe. Exit code 0: nothing is wrong; 1: something is, or the command line was.
 */
import { resolve } from "node:path";
import { parseArgs, styleText } from "node:util";
import { DEV_VARS_FILE, PROJECT_DIR } from "./config.ts";
import { readDevVars } from "./dev-vars.ts";
import { examine } from "./doctor/examine.ts";
import { describeResult, isFine, summarize, toJson, type Paint } from "./doctor/report.ts";
import { readSettings } from "./doctor/settings.ts";
import { StartError } from "./start-error.ts";

const HELP = `npm run doctor [-- options]

  --url <address>           the Worker (ROWCAST_URL, WORKER_URL)
  --database-url <address>  Postgres, best as its owner (MIGRATION_DATABASE_URL, LISTENER_DATABASE_URL, DATABASE_URL)
  --token <jwt>             who probes, with the role write (ROWCAST_TOKEN; made from JWT_SECRET where that is known)
  --vars <file>             where variables are that the environment does not have: .dev.vars, or .deploy.vars
  --json                    for programs`;

// What is set for this terminal decides, NO_COLOR above all.
const paint: Paint = (colour, text) => styleText(colour, text, { stream: process.stdout });

try {
  process.exitCode = await run();
} catch (error) {
  const isExpected =
    error instanceof StartError || (error as NodeJS.ErrnoException).code?.startsWith("ERR_PARSE_ARGS");
  console.error(isExpected ? (error as Error).message : error);
  process.exitCode = 1;
}
// Not left to the event loop: a connection that fetch keeps for later would hold it for seconds.
process.exit();

async function run(): Promise<number> {
  const { values } = parseArgs({
    options: {
      url: { type: "string" },
      "database-url": { type: "string" },
      token: { type: "string" },
      vars: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const file = values.vars === undefined ? DEV_VARS_FILE : resolve(PROJECT_DIR, values.vars);
  const settings = await readSettings(
    { url: values.url, databaseUrl: values["database-url"], token: values.token },
    process.env,
    { name: values.vars ?? ".dev.vars", values: await readDevVars(file) },
  );
  const results = await examine(settings, (result) => {
    if (!values.json) console.log(describeResult(result, paint));
  });
  console.log(values.json ? toJson(results) : summarize(results));
  return isFine(results) ? 0 : 1;
}
