/** Faults in random combination, drawn from a seed, while the writers work. */
import { setTimeout as sleep } from "node:timers/promises";
import { CLIENT_FAULTS } from "./faults-client.ts";
import { LISTENER_FAULTS } from "./faults-listener.ts";
import { POSTGRES_FAULTS } from "./faults-postgres.ts";
import { WORKER_FAULTS } from "./faults-worker.ts";
import type { Dice } from "./random.ts";
import type { Fault, Scene } from "./scene.ts";

export const ALL_FAULTS: readonly Fault[] = [
  ...LISTENER_FAULTS,
  ...POSTGRES_FAULTS,
  ...WORKER_FAULTS,
  ...CLIENT_FAULTS,
];

export interface CampaignOptions {
  readonly scene: Scene;
  readonly dice: Dice;
  /** At least so many: it goes on until the changes have been made. */
  readonly faults: number;
  /** Spread evenly over the faults. */
  readonly changes: number;
  /** Nothing new is begun after this. */
  readonly forMs: number;
  /** All is ended and everybody waited for after so many faults. */
  readonly calmEvery: number;
  /** Only faults whose kind matches. */
  readonly only?: RegExp;
  readonly say: (line: string) => void;
}

export interface Campaign {
  readonly byKind: ReadonlyMap<string, number>;
  readonly faults: number;
  /** After all faults were ended: until the log had everything and all clients the whole log, in ms, each time. */
  readonly calms: readonly number[];
  readonly ms: number;
}

interface Active {
  readonly fault: Fault;
  readonly until: number;
  readonly end: () => Promise<void> | void;
}

/** What is under way at once, at most. */
const AT_ONCE = 4;
/** The writers get so long for what one fault allows; faults that stop them take it from the next. */
const SPEND_MS = 6_000;

export async function campaign(options: CampaignOptions): Promise<Campaign> {
  const { scene, dice, faults, changes, forMs, calmEvery, only = /./, say } = options;
  const repertoire = ALL_FAULTS.filter(({ kind }) => only.test(kind));
  const startedAt = performance.now();
  const byKind = new Map<string, number>();
  const calms: number[] = [];
  let active: Active[] = [];
  let done = 0;

  const endDue = async (now: number): Promise<void> => {
    const due = active.filter(({ until }) => until <= now);
    active = active.filter(({ until }) => until > now);
    for (const { end } of due) await end();
  };
  const calm = async (): Promise<void> => {
    await endDue(Number.POSITIVE_INFINITY);
    for (const seat of scene.ground.seats.slice(0, 1)) seat.start();
    const before = performance.now();
    await scene.calm();
    calms.push(performance.now() - before);
    say(`      calm after ${Math.round(performance.now() - before)} ms`);
  };

  const spent = (): boolean => done >= faults && scene.writers.committed >= changes;
  while (!spent() && performance.now() - startedAt < forMs) {
    await endDue(performance.now());
    const fault = draw(repertoire, dice, active);
    if (fault === null) {
      await sleep(50);
      continue;
    }
    const duration = dice.between(...fault.lasts);
    if (fault.alone) await endDue(Number.POSITIVE_INFINITY);
    const minutes = ((performance.now() - startedAt) / 60_000).toFixed(2);
    say(
      `${minutes} ${String(done + 1).padStart(4)} ${fault.kind}${duration > 0 ? ` for ${duration} ms` : ""}`,
    );
    scene.writers.allow(Math.ceil(changes / faults));
    const end = await fault.inflict(scene, dice);
    active.push({ fault, end, until: performance.now() + duration });
    byKind.set(fault.kind, (byKind.get(fault.kind) ?? 0) + 1);
    done += 1;
    await scene.writers.spent(SPEND_MS);
    await sleep(dice.between(0, 1_500));
    while (active.length >= AT_ONCE) {
      await sleep(50);
      await endDue(performance.now());
    }
    if (done % calmEvery === 0) await calm();
  }
  await calm();
  return { byKind, faults: done, calms, ms: performance.now() - startedAt };
}

/** By weight, among those whose place is free; null when there is none. */
function draw(repertoire: readonly Fault[], dice: Dice, active: readonly Active[]): Fault | null {
  const taken = new Set(active.map(({ fault }) => fault.place));
  const free = repertoire.filter(({ place }) => !taken.has(place));
  const total = free.reduce((sum, { weight }) => sum + weight, 0);
  let left = dice.next() * total;
  for (const fault of free) {
    left -= fault.weight;
    if (left < 0) return fault;
  }
  return null;
}
