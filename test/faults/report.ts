/** What a run came to, as tables. */
import type { Campaign } from "./campaign.ts";
import type { Follower } from "./follower.ts";
import type { Logbook } from "./logbook.ts";
import type { Outcome } from "./play.ts";
import { isKept, median, type Recovery } from "./recovery.ts";

export interface Report {
  readonly seed: number;
  readonly run: Campaign;
  readonly outcome: Outcome;
  readonly logbook: Logbook;
  readonly followers: readonly Follower[];
}

export function printOutcome({ seed, run, outcome, logbook, followers }: Report): void {
  const { verdict, unequal, collections, rolledBack } = outcome;
  const longestCalm = Math.max(0, ...run.calms);
  console.log("\nfaults by kind");
  table([...run.byKind].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([kind, count]) => [kind, count]));
  console.log("\nclients");
  table(
    followers.map(({ name, watched, account, connections }) => [
      `${name}, ${watched.name}`,
      `${account.tally.changes} changes, ${connections} connections, ${account.resets.length} resets`,
    ]),
  );
  console.log("\nwarnings in the logs, and one line of each");
  table(logbook.events().map(({ event, count, example }) => [event, `${count}  ${example.slice(0, 260)}`]));
  const foreign = logbook.foreign();
  if (foreign.length > 0) console.log("\nlines that are not the project's own");
  table(foreign.slice(0, 20).map(({ words, count }) => [words, count]));
  const often = logbook.tooOften();
  if (often.length > 0) console.log("\ntold more than once a second");
  table(
    often.map(({ event, source, closestMs, count }) => [
      `${source}: ${event}`,
      `${count}, closest ${closestMs} ms`,
    ]),
  );

  console.log("\nresult");
  table([
    ["seed", seed],
    ["duration", `${(run.ms / 60_000).toFixed(1)} min`],
    ["faults", run.faults],
    ["changes committed", verdict.committed],
    ["transactions rolled back", rolledBack],
    ["changes received, by all clients", verdict.received],
    ["of which too large to travel whole", verdict.truncated],
    ["lost", verdict.lost],
    ["doubled", verdict.doubled],
    ["out of order", verdict.outOfOrder],
    ["never committed (rolled back)", verdict.ghosts],
    ["gaps", verdict.gaps],
    ["filtered wrongly", verdict.misfiltered],
    ["different at two clients", verdict.differing],
    ["reloaded instead, when a new epoch began", verdict.reloaded],
    ["resets", JSON.stringify(verdict.resets)],
    [
      "collections equal",
      `${collections - new Set(unequal.map((words) => words.split(": ")[0])).size} of ${collections}`,
    ],
    [
      "all have everything after the faults end",
      `median ${(median(run.calms) / 1000).toFixed(1)} s, longest ${(longestCalm / 1000).toFixed(1)} s`,
    ],
    ["events logged more than once a second", often.length],
  ]);
  for (const words of [...verdict.complaints, ...unequal]) console.log(`  ${words}`);
}

export function printRecoveries(recoveries: readonly Recovery[]): void {
  console.log("\nrecovery, in ms");
  for (const recovery of recoveries) {
    const { what, limitMs, times } = recovery;
    const longest = Math.max(0, ...times);
    table([
      [
        what,
        `${times.length} times, median ${Math.round(median(times))}, longest ${Math.round(longest)}, promised ${limitMs}${isKept(recovery) ? "" : "  NOT KEPT"}`,
      ],
    ]);
  }
}

function table(rows: readonly (readonly [string, string | number])[]): void {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  for (const [name, value] of rows) console.log(`  ${name.padEnd(width)}  ${value}`);
}
