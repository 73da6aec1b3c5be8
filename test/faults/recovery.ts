/** How long it takes until changes flow again: measured, each against what was promised. */
import { setTimeout as sleep } from "node:timers/promises";
import { askOnce } from "./cluster.ts";
import type { Play } from "./play.ts";
import { startPulse, type Pulse } from "./pulse.ts";
import type { Dice } from "./random.ts";

export interface Recovery {
  readonly what: string;
  readonly limitMs: number;
  readonly times: readonly number[];
}

export function isKept({ limitMs, times }: Recovery): boolean {
  return times.every((time) => time <= limitMs);
}

export function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
}

const PATIENCE_MS = 60_000;

/** One listener: its session is ended, Postgres crashes, Postgres is down for a while. From Postgres answering to a change at a client. */
export async function measureReconnect(play: Play, rounds: number, downMs: number): Promise<Recovery[]> {
  const { cluster, seats } = play.ground;
  // Past the suite's own way, which takes every connection and cuts it off where nobody listens behind it.
  await seats[0].end("SIGTERM");
  seats[0].start(true);
  return withPulse(play, async (pulse) => {
    const terminated: number[] = [];
    const crashed: number[] = [];
    const away: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const cut = performance.now();
      await askOnce(
        cluster.url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rowcast listener'",
      );
      terminated.push((await pulse.flowsAfter(cut, PATIENCE_MS)) - cut);
      await sleep(300);
    }
    for (let round = 0; round < Math.ceil(rounds / 3); round += 1) {
      await cluster.stop("immediate");
      crashed.push(await untilFlowing(play, pulse, 0));
      await sleep(300);
    }
    await cluster.stop("fast");
    away.push(await untilFlowing(play, pulse, downMs));
    await seats[0].end("SIGTERM");
    seats[0].start();
    return [
      { what: "the listener's session ended by pg_terminate_backend", limitMs: 1_000, times: terminated },
      { what: "Postgres crashed and recovered, from its first answer", limitMs: 1_000, times: crashed },
      { what: `Postgres down for ${downMs / 1000} s, from its first answer`, limitMs: 1_000, times: away },
    ];
  });
}

async function untilFlowing({ ground }: Play, pulse: Pulse, downMs: number): Promise<number> {
  await sleep(downMs);
  const started = ground.cluster.start();
  let answers = false;
  while (!answers) {
    answers = await askOnce(ground.cluster.url, "SELECT 1").then(
      () => true,
      () => false,
    );
    if (!answers) await sleep(10);
  }
  const answered = performance.now();
  const flows = await pulse.flowsAfter(answered, PATIENCE_MS);
  await started;
  return flows - answered;
}

/** The way to Postgres becomes half-open: from then until changes flow. */
export async function measureHalfOpen(play: Play): Promise<Recovery> {
  return withPulse(play, async (pulse) => {
    const cut = performance.now();
    play.ground.seats[0].toPostgres.freeze();
    const flows = await pulse.flowsAfter(cut + 100, PATIENCE_MS);
    return { what: "a half-open connection to Postgres", limitMs: 40_000, times: [flows - cut] };
  });
}

/**
 * The only listener stands still for longer than the log waits for one (SIGSTOP, its connections stay open), then goes on:
 * the longest pause until the log's own look has taken over, and the longest around its coming back.
 */
export async function measureStopped(play: Play, stoppedMs: number): Promise<Recovery[]> {
  const [seat] = play.ground.seats;
  return withPulse(play, async (pulse) => {
    const from = performance.now();
    seat.pause();
    await sleep(stoppedMs);
    const pause = pulse.longestPause(from);
    const resumed = performance.now();
    seat.resume();
    await pulse.flowsAfter(resumed, PATIENCE_MS);
    await sleep(5_000);
    const what = `the only listener stopped for ${stoppedMs / 1000} s (SIGSTOP)`;
    return [
      { what: `${what}: until the log looks by itself`, limitMs: 40_000, times: [pause] },
      {
        what: `${what}: the longest pause when it goes on`,
        limitMs: 5_000,
        times: [pulse.longestPause(resumed)],
      },
    ];
  });
}

/** Two listeners, one or the other killed at any moment and started again a while later: the longest pause of each round. */
export async function measurePair(play: Play, rounds: number, dice: Dice): Promise<Recovery> {
  const [first, second] = play.ground.seats;
  second.start();
  return withPulse(play, async (pulse) => {
    await sleep(1_500);
    const times: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      await sleep(dice.between(0, 500));
      const from = performance.now();
      const victim = dice.pick([first, second]);
      await victim.end("SIGKILL");
      await sleep(1_000);
      times.push(pulse.longestPause(from));
      victim.start();
      await sleep(1_500);
    }
    await second.end("SIGTERM");
    return { what: "one of two listeners killed: the longest pause", limitMs: 2_000, times };
  });
}

/** The Worker is killed and started again: by then listener and clients have widened their backoff, to 30 s at most. From its first answer to a change at a client that reconnects by itself. */
export async function measureWorker(play: Play, rounds: number): Promise<Recovery> {
  const { ground } = play;
  const { worker } = ground;
  return withPulse(play, async (pulse) => {
    const times: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      await worker.kill();
      const started = worker.start();
      while ((await ground.head()) === null) await sleep(10);
      const answered = performance.now();
      times.push((await pulse.flowsAfter(answered, PATIENCE_MS)) - answered);
      await started;
      await sleep(300);
    }
    return { what: "workerd killed and started, from its first answer", limitMs: 35_000, times };
  });
}

async function withPulse<T>(play: Play, measure: (pulse: Pulse) => Promise<T>): Promise<T> {
  const [follower] = play.followers;
  if (!follower) throw new Error("a run has followers");
  const pulse = startPulse(play.ground.cluster.url, follower);
  try {
    await pulse.flowsAfter(performance.now(), PATIENCE_MS);
    return await measure(pulse);
  } finally {
    await pulse.stop();
  }
}
