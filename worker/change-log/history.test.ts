import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { History, SEPARATOR, type Batch } from "./history.ts";

/** Runs over the storage of an object of its own: nothing else uses it. */
function withStorage<T>(run: (storage: DurableObjectStorage) => T): Promise<T> {
  const log = env.CHANGE_LOG.getByName(crypto.randomUUID());
  return runInDurableObject(log, (_instance, state) => run(state.storage));
}

let epochs = 0;
const newEpoch = (): string => `epoch${++epochs}`;

function open(storage: DurableObjectStorage, limits = { maxChanges: 1000, maxAgeMs: 1000 }): History {
  return new History(storage, limits, newEpoch);
}

/** Stores `count` changes whose only content is a mark, and moves the cursor to `to`. */
function append(history: History, to: string, count: number, now: number, marks = count): void {
  const changes = Array.from({ length: count }, (_, index) => `{"mark":${marks + index}}`);
  const last = count > 0 ? { id: to, xid: to, timestamp: "2026-11-21T00:00:00Z" } : null;
  const { cursor } = history.state;
  const result = history.append({ source: "s", from: cursor, to, changes, last }, now, newEpoch);
  expect(result.kind).not.toBe("conflict");
}

function seqs({ text }: Batch): number[] {
  if (text === "") return [];
  return text.split(SEPARATOR).map((change) => (JSON.parse(change) as { seq: number }).seq);
}

describe("the history of the change log", () => {
  it("reads back, from any position it reaches, exactly what was stored, in pages of any size, also after a restart", async () => {
    const step = fc.record({
      count: fc.integer({ min: 0, max: 30 }),
      wait: fc.integer({ min: 0, max: 200 }),
    });
    const runs = fc.record({
      steps: fc.array(step, { minLength: 1, maxLength: 25 }),
      maxChanges: fc.integer({ min: 1, max: 120 }),
      maxAgeMs: fc.integer({ min: 50, max: 3000 }),
      pageChars: fc.integer({ min: 1, max: 2000 }),
      pageChanges: fc.integer({ min: 1, max: 50 }),
      at: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(runs, async ({ steps, maxChanges, maxAgeMs, pageChars, pageChanges, at }) => {
        await withStorage((storage) => {
          const limits = { maxChanges, maxAgeMs };
          let history = open(storage, limits);
          append(history, "start", 0, 0);
          const { epoch } = history.position;
          let [now, head] = [0, 0];
          const stored: { to: number; at: number }[] = [];
          for (const [index, { count, wait }] of steps.entries()) {
            now += wait;
            append(history, `c${index}`, count, now, head);
            head += count;
            if (count > 0) stored.push({ to: head, at: now });
            if (index % 7 === 3) history = open(storage, limits); // the object lost its memory
          }
          expect(history.position).toEqual({ epoch, seq: head });

          const since = at % (head + 1);
          const read: number[] = [];
          let seq = since;
          while (seq < head) {
            const result = history.read({ epoch, seq }, pageChars, pageChanges);
            if (!result.ok) {
              expect(result.reason).toBe("expired");
              // Only what is too old or too far back may be gone, and never the newest batch.
              const missing = stored.find(({ to }) => to > seq);
              const tooOld = missing !== undefined && missing.at < now - maxAgeMs;
              expect(tooOld || seq < head - maxChanges).toBe(true);
              expect(missing?.to).toBeLessThan(head);
              expect(seq, "what could be begun can be read to its end").toBe(since);
              return;
            }
            expect(result.batch.from).toBe(seq);
            expect(result.batch.to).toBeGreaterThan(seq);
            expect(result.batch.to - seq).toBeLessThanOrEqual(pageChanges);
            read.push(...seqs(result.batch));
            seq = result.batch.to;
          }
          expect(read).toEqual(Array.from({ length: head - since }, (_, index) => since + index + 1));
        });
      }),
      { numRuns: 40 },
    );
  });

  it("says what is wrong with a position it cannot read from", async () => {
    await withStorage((storage) => {
      const history = open(storage);
      append(history, "start", 0, 0);
      const { epoch } = history.position;
      append(history, "a", 3, 0);
      expect(history.read({ epoch: "other", seq: 1 }, 100)).toEqual({ ok: false, reason: "epoch" });
      expect(history.read({ epoch, seq: 4 }, 100)).toEqual({ ok: false, reason: "future" });
      expect(history.read({ epoch, seq: 3 }, 100)).toMatchObject({ ok: true, batch: { text: "" } });
    });
  });
});
