/** A run: ground, writers, clients, and what is needed to end it with a verdict. */
import { setTimeout as sleep } from "node:timers/promises";
import { gather, type Cast } from "./cast.ts";
import { readTruth, snapshot } from "./epoch.ts";
import { layGround, type Ground, type GroundOptions } from "./ground.ts";
import { Ledger } from "./ledger.ts";
import type { Dice } from "./random.ts";
import type { Scene } from "./scene.ts";
import { Truth } from "./truth.ts";
import { judge, type Verdict } from "./verdict.ts";
import { startWriters } from "./writer.ts";

export interface Play extends Scene {
  readonly cast: Cast;
  /** Everything healed, nobody writing: waits until all have everything, compares, and stops the writers. */
  end(): Promise<Outcome>;
  stop(): Promise<void>;
}

export interface Outcome {
  readonly verdict: Verdict;
  readonly collections: number;
  /** What differs, by collection: empty when all are equal to their tables. */
  readonly unequal: readonly string[];
  readonly rolledBack: number;
}

export interface PlayOptions extends GroundOptions {
  readonly dice: Dice;
  readonly roles: Parameters<typeof gather>[2];
  readonly connections?: number;
  /** Once a fault is over, clients do not wait for their backoff, which may have grown to half a minute. */
  readonly impatient?: boolean;
}

/** A client that was cut off half-open takes 35 s to notice; a reconnect may wait for 30 s more. */
const PATIENCE_MS = 120_000;
/** From then on it is said who is waited for. */
const LATE_MS = 5_000;

export async function begin(options: PlayOptions): Promise<Play> {
  const ground = await layGround(options);
  try {
    return await enter(ground, options);
  } catch (error) {
    await ground.stop();
    throw error;
  }
}

async function enter(
  ground: Ground,
  { dice, roles, connections = 4, impatient = false }: PlayOptions,
): Promise<Play> {
  const ledger = new Ledger();
  const cast = await gather(ground, ledger, roles);
  const writers = startWriters({ url: ground.cluster.url, connections, dice });
  const truth = new Truth();

  const play: Play = {
    ground,
    cast,
    writers,
    truth,
    followers: cast.followers,
    windows: [],
    async calm() {
      await writers.pause();
      await untilAllHaveAll(play, impatient);
      return snapshot(play);
    },
    async end() {
      await play.calm();
      const unequal: string[] = [];
      for (const shelf of cast.shelves) {
        const differences = await settle(() => shelf.difference());
        unequal.push(...differences.slice(0, 3).map((words) => `${shelf.name}: ${words}`));
      }
      await readTruth(play);
      return {
        verdict: judge(ledger, truth),
        collections: cast.shelves.length,
        unequal,
        rolledBack: writers.rolledBack,
      };
    },
    async stop() {
      cast.close();
      await writers.stop();
      await ground.stop();
    },
  };
  return play;
}

/** Until the log has the whole outbox and every client the whole log. */
async function untilAllHaveAll({ ground, followers }: Play, impatient: boolean): Promise<void> {
  const startedAt = Date.now();
  const deadline = startedAt + PATIENCE_MS;
  let head: string | null = null;
  let mark = "";
  for (let look = 0; head === null; look += 1) {
    // A change of its own, made last: where it is, everything is. Again now and then: a transaction that was open beside
    // it may have ended after it.
    if (look % 60 === 0) mark = await leaveMark(ground);
    head = await findMark(ground, mark);
    if (head === null) await tick("the log to have everything");
  }
  const late = new Set<string>();
  for (const follower of followers)
    while (follower.account.position !== head) {
      const { name, account, sdk } = follower;
      const state = JSON.stringify(sdk?.state.get() ?? null);
      if (Date.now() - startedAt > LATE_MS && !late.has(name)) {
        late.add(name);
        console.log(`      still waiting for ${name} at ${account.position} to reach ${head}: ${state}`);
      }
      await tick(`${name} at ${account.position} to reach ${head}: ${state}`);
    }

  async function tick(what: string): Promise<void> {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    for (const { sdk } of impatient ? followers : [])
      if (sdk?.state.get().name === "waiting") sdk.reconnect();
    await sleep(50);
  }
}

async function leaveMark({ cluster }: Ground): Promise<string> {
  const mark = `mark ${Date.now()} ${Math.random()}`;
  await cluster.ask("INSERT INTO crates VALUES (0, $1) ON CONFLICT (id) DO UPDATE SET note = excluded.note", [
    mark,
  ]);
  return mark;
}

/** The position of the log, once the mark is the last thing in it. */
async function findMark(ground: Ground, mark: string): Promise<string | null> {
  const head = await ground.head();
  const [epoch = "", seq = "0"] = head?.split(".") ?? [];
  if (Number(seq) === 0) return null;
  try {
    const response = await fetch(`${ground.url}/api/changes?since=${epoch}.${Number(seq) - 1}`, {
      signal: AbortSignal.timeout(5_000),
    });
    const { position, changes } = (await response.json()) as {
      position: string;
      changes?: { data: { note?: string } | null }[];
    };
    return changes?.at(-1)?.data?.note === mark ? position : null;
  } catch {
    return null; // the Worker is on its way up
  }
}

/** A collection that has just been given its last change may still be loading. */
async function settle(look: () => Promise<string[]>): Promise<string[]> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const differences = await look();
    if (differences.length === 0 || Date.now() > deadline || !differences[0]?.startsWith("it is "))
      return differences;
    await sleep(100);
  }
}
