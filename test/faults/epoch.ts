/** What the suite does when a fault ends an epoch: the truth is kept, and what may be missing from the stream is marked. */
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { NOTHING, type Scene } from "./scene.ts";

const PATIENCE_MS = 60_000;
/** Changes that the writers make while the epoch changes. */
const MEANWHILE = 500;

/**
 * Does what ends the epoch while everybody has everything, and waits until the next has begun, with writers at work. What
 * is committed in between may be missing from the stream: clients reload it.
 *
 * @param end resolves with the snapshot from which on that is so, when transaction ids have gone back meanwhile.
 */
export async function beginEpoch(scene: Scene, end: () => Promise<string | void>): Promise<void> {
  const calm = await scene.calm();
  const old = epochOf(await scene.ground.head());
  const before = (await end()) ?? calm;
  scene.writers.allow(MEANWHILE);
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const state = await scene.ground.logState();
    if (state !== null && state.cursor !== null && epochOf(state.position) !== old) break;
    if (Date.now() > deadline) throw new Error("no new epoch has begun");
    await sleep(50);
  }
  scene.windows.push({ before, after: await snapshot(scene) });
}

/** The present snapshot of the database. */
export async function snapshot({ ground }: Pick<Scene, "ground">): Promise<string> {
  const [row] = await ground.cluster.ask<{ now: string }>("SELECT pg_current_snapshot()::text AS now");
  return row?.now ?? "";
}

/** Takes down what is in the outbox. Nobody may be writing. */
export async function readTruth({ ground, truth, windows }: Scene): Promise<void> {
  const client = new Client({ connectionString: ground.cluster.url });
  client.on("error", NOTHING); // the query fails with it
  await client.connect();
  try {
    await truth.read(client, windows);
  } finally {
    await client.end();
  }
}

function epochOf(position: string | null): string | null {
  return position?.split(".")[0] ?? null;
}
