/** The suite's short selection: each fault alone, for a second or less, with writers at work and every kind of client. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { setTimeout as sleep } from "node:timers/promises";
import { ALL_FAULTS } from "./campaign.ts";
import { SMALL_CAST } from "./cast.ts";
import { begin, type Play } from "./play.ts";
import { dice as makeDice } from "./random.ts";
import { isKept, measurePair, measureReconnect, median } from "./recovery.ts";
import { wrongs } from "./verdict.ts";

const SEED = 20_261_121;
const CHANGES = 600;
const LASTS_MS = 700;

/** Those that show something within a second, one of each kind; `npm run test:faults` draws from all of them. */
const SHORT: readonly string[] = [
  "listener: SIGKILL",
  "listener: SIGSTOP",
  "listener: killed between POST and answer",
  "listener: one more",
  "listener to Postgres: cut",
  "listener to Worker: 503",
  "listener to Worker: answers lost after the work was done",
  "listener to Worker: half an answer",
  "postgres: pg_terminate_backend of everybody",
  "postgres: immediate restart (crash recovery)",
  "postgres: no room to write (simulated)",
  "postgres: the outbox is another one (new epoch)",
  "postgres: restored to an earlier state (new epoch)",
  "worker: SIGKILL, started on what it left",
  "worker: hub evicted, sockets cut",
  "worker: log evicted",
  "worker: pushes to the hub fail",
  "worker: storage of the log deleted (new epoch)",
  "client: cut",
  "client: never reads",
  "client: goes away and comes back with its position",
];

const dice = makeDice(SEED);
let play: Play;
beforeAll(async () => {
  play = await begin({
    dice: dice.fork("writers"),
    roles: SMALL_CAST,
    listener: { KEEPALIVE_MS: "1000", ANSWER_TIMEOUT_MS: "800" },
    vars: { FALLBACK_AFTER_MS: "3000" },
    impatient: true,
  });
});
afterAll(() => play?.stop());

/** What clients have found wrong by themselves so far. */
const complaints = (): string[] => play.followers.flatMap(({ account }) => account.complaints);

test.each(SHORT)("%s: every client has everything afterwards", async (kind) => {
  const fault = ALL_FAULTS.find((each) => each.kind === kind);
  if (!fault) throw new Error(`there is no fault called ${kind}`);
  play.writers.allow(CHANGES);
  const end = await fault.inflict(play, dice.fork(kind));
  if (fault.lasts[1] > 0) await sleep(LASTS_MS); // How long a fault lasts is part of it.
  await end();
  await play.writers.spent(3_000);
  await play.calm();
  expect(complaints()).toEqual([]);
});

test("changes flow again within a second after the listener has lost Postgres", async () => {
  for (const recovery of await measureReconnect(play, 3, 0)) {
    // The median: other tests want the machine at the same time. `npm run test:faults` asks it of every one.
    expect(median(recovery.times), JSON.stringify(recovery)).toBeLessThan(recovery.limitMs);
  }
});

test("with two listeners, either may be killed, and no pause is longer than 2 s", async () => {
  const recovery = await measurePair(play, 2, dice.fork("pair"));
  expect(recovery, JSON.stringify(recovery)).toSatisfy(isKept);
});

test("in the end nothing is lost, doubled, out of order or made up, and collections equal their tables", async () => {
  const { verdict, unequal } = await play.end();
  expect(verdict.complaints).toEqual([]);
  expect(wrongs(verdict)).toBe(0);
  expect(unequal).toEqual([]);
  expect(play.ground.logbook.tooOften()).toEqual([]);
  expect(verdict.committed).toBeGreaterThan(5_000);
});
