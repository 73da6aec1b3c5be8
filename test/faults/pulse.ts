/** A row that changes again and again, and when each change was committed and arrived: what recovery times are read from. */
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import type { Follower } from "./follower.ts";

export interface Pulse {
  /** Of each change: when its commit was answered and when it arrived, in ms of `performance.now`; null while it has not. */
  readonly beats: readonly { readonly committedAt: number; arrivedAt: number | null }[];
  /** The longest time without an arrival since `from`, in ms of `performance.now`. */
  longestPause(from: number): number;
  /** Resolves when a change that was committed after `from` has arrived; with when it did. */
  flowsAfter(from: number, patienceMs: number): Promise<number>;
  stop(): Promise<void>;
}

const EVERY_MS = 20;
/** A key that no writer draws. */
const CRATE = 5_000;

/** Starts it. What follows has to see everything, or crates. */
export function startPulse(databaseUrl: string, follower: Follower): Pulse {
  const beats: { committedAt: number; arrivedAt: number | null }[] = [];
  const arrivals: number[] = [];
  const sent = new Map<string, { committedAt: number; arrivedAt: number | null }>();
  let stopped = false;
  follower.onChanges = (changes) => {
    const now = performance.now();
    for (const { table, data } of changes) {
      const note = table === "crates" ? data?.["note"] : undefined;
      const beat = typeof note === "string" ? sent.get(note) : undefined;
      if (!beat) continue;
      beat.arrivedAt ??= now;
      arrivals.push(now);
    }
  };
  const beatOn = async (): Promise<void> => {
    let client: Client | null = null;
    for (let number = 0; !stopped; number += 1) {
      const note = `pulse ${number}`;
      try {
        if (client === null) {
          client = new Client({ connectionString: databaseUrl, connectionTimeoutMillis: 2_000 });
          client.on("error", () => undefined); // its next query tells
          await client.connect();
        }
        // Known before it is sent: it may arrive before the commit is answered.
        const beat = { committedAt: performance.now(), arrivedAt: null };
        sent.set(note, beat);
        await client.query(
          "INSERT INTO crates VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET note = excluded.note",
          [CRATE, note],
        );
        beat.committedAt = performance.now();
        beats.push(beat);
        await sleep(EVERY_MS);
      } catch {
        client?.end().catch(() => undefined);
        client = null; // Postgres is away, which is what the suite does to it
        await sleep(EVERY_MS);
      }
    }
    await client?.end().catch(() => undefined);
  };
  const done = beatOn();
  return {
    beats,
    longestPause(from) {
      let [last, longest] = [from, 0];
      for (const at of arrivals) {
        if (at < from) continue;
        longest = Math.max(longest, at - last);
        last = at;
      }
      return Math.max(longest, performance.now() - last);
    },
    async flowsAfter(from, patienceMs) {
      for (const deadline = performance.now() + patienceMs; performance.now() < deadline;) {
        for (const { committedAt, arrivedAt } of beats)
          if (committedAt >= from && arrivedAt !== null) return arrivedAt;
        await sleep(5);
      }
      throw new Error(`nothing flows ${patienceMs} ms after the fault`);
    },
    async stop() {
      stopped = true;
      await done;
      follower.onChanges = null;
    },
  };
}
