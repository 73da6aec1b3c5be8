/** `npm run test:faults [-- --long] [--seed N]`: the random campaign and the recovery times. Method and figures: README.md here. */
import { parseArgs } from "node:util";
import { FULL_CAST, SMALL_CAST } from "./cast.ts";
import { campaign } from "./campaign.ts";
import { begin, type Play } from "./play.ts";
import { dice as makeDice } from "./random.ts";
import {
  isKept,
  measureHalfOpen,
  measurePair,
  measureReconnect,
  measureStopped,
  measureWorker,
  type Recovery,
} from "./recovery.ts";
import { printOutcome, printRecoveries } from "./report.ts";
import { wrongs } from "./verdict.ts";

const { values: options } = parseArgs({
  options: {
    long: { type: "boolean", default: false },
    seed: { type: "string" },
    faults: { type: "string" },
    changes: { type: "string" },
    minutes: { type: "string" },
    only: { type: "string" },
    recovery: { type: "string" },
    verbose: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(`npm run test:faults [-- --long] [--seed N] [--changes N] [--faults N] [--minutes N]

--long      1,000,000 changes through 220 faults, some 15 minutes; otherwise 120,000 through 30, some 4
--seed      repeats the faults and the writers' statements of a former run
--only      draws only faults whose kind matches this regular expression
--recovery  measures only those recovery times whose name matches (reconnect, pair, worker, half-open, stopped): no storm
--minutes   begins no fault after this long
--verbose   prints what the Worker and the listeners log`);
  process.exit(0);
}
const seed = Number(options.seed ?? Math.floor(Math.random() * 1_000_000_000));
const long = options.long;
const faults = Number(options.faults ?? (long ? 220 : 30));
const changes = Number(options.changes ?? (long ? 1_030_000 : 120_000));
const forMs = 60_000 * Number(options.minutes ?? (long ? 30 : 5));
/** Whatever hangs: nothing runs on after this. */
const deadline = setTimeout(
  () => {
    console.error("took too long; what was started is ended by its guard");
    process.exit(1);
  },
  forMs + 10 * 60_000,
);
deadline.unref();

console.log(`seed ${seed}: ${changes} changes, ${faults} faults`);
const dice = makeDice(seed);
const onLine = options.verbose
  ? (source: string, line: string): void => console.log(`    ${source}: ${line}`)
  : (): void => undefined;
let failed = false;

/** Faults in random combination. */
async function storm(): Promise<void> {
  const play = await begin({
    dice: dice.fork("writers"),
    roles: FULL_CAST,
    // Shorter than in production, in the same proportions, so that what takes a minute there is tried in seconds here.
    listener: { KEEPALIVE_MS: "5000", ANSWER_TIMEOUT_MS: "3000" },
    vars: { FALLBACK_AFTER_MS: "8000", HISTORY_MAX_CHANGES: long ? "300000" : "100000" },
    onLine,
  });
  try {
    const run = await campaign({
      scene: play,
      dice: dice.fork("faults"),
      faults,
      changes,
      forMs,
      calmEvery: 20,
      ...(options.only !== undefined && { only: new RegExp(options.only) }),
      say: (line) => console.log(line),
    });
    const outcome = await play.end();
    printOutcome({ seed, run, outcome, logbook: play.ground.logbook, followers: play.followers });
    failed ||= wrongs(outcome.verdict) > 0 || outcome.unequal.length > 0;
    failed ||= play.ground.logbook.tooOften().length > 0;
  } catch (error) {
    failed = true;
    console.error(`seed ${seed} failed:`, error);
    for (const { name, account, sdk } of play.followers) {
      console.error(`  ${name} at ${account.position}, ${JSON.stringify(sdk?.state.get() ?? null)}`);
      for (const words of account.complaints) console.error(`    ${words}`);
    }
  } finally {
    await play.stop();
  }
}

const MEASURES: Readonly<Record<string, (play: Play) => Promise<Recovery | Recovery[]>>> = {
  reconnect: (play) => measureReconnect(play, 10, 10_000),
  pair: (play) => measurePair(play, 10, dice.fork("pair")),
  worker: (play) => measureWorker(play, 5),
  "half-open": measureHalfOpen,
  stopped: (play) => measureStopped(play, 40_000),
};
const chosen = new RegExp(options.recovery ?? "");

/** How long it takes until changes flow again, with everything configured as it is shipped. */
async function recoveries(): Promise<void> {
  const play = await begin({ dice: dice.fork("recovery"), roles: SMALL_CAST, onLine });
  try {
    const measured: Recovery[] = [];
    for (const [name, measure] of Object.entries(MEASURES))
      if (chosen.test(name)) measured.push(...[await measure(play)].flat());
    const { verdict, unequal } = await play.end();
    printRecoveries(measured);
    failed ||= !measured.every(isKept) || wrongs(verdict) > 0 || unequal.length > 0;
  } catch (error) {
    failed = true;
    console.error("recovery could not be measured:", error);
  } finally {
    await play.stop();
  }
}

if (options.recovery === undefined) await storm();
await recoveries();
console.log(failed ? "\nFAILED" : "\nall as it has to be");
process.exit(failed ? 1 : 0);
