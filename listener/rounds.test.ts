/**
 * The doorbell's protocol against a model of Postgres (advisory lock, transaction ids, snapshots, NOTIFY at commit), with
 * every step of writers and listeners in any order. What must hold: when everybody has come to rest, nothing that was
 * committed lies unread, and no listener that could be rung waits for a look of its own.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { startRounds, type DoorbellLock, type Rounds } from "./rounds.ts";
import { patience } from "./silence.ts";

interface Transaction {
  readonly xid: number;
  rings: boolean;
}

/** A stand-in for Postgres: only what the doorbell needs. */
class Model {
  #nextXid = 1;
  #lastEnded = 0;
  readonly open: Transaction[] = [];
  readonly committed = new Set<number>();
  lockedBy: number | null = null;
  readonly listeners = new Map<number, Session>();

  /** What the dead still hold is let go. */
  notice(id: number): void {
    if (this.lockedBy === id) this.lockedBy = null;
  }
  /** To a transaction that ends at once. */
  giveXid(): number {
    const xid = this.#nextXid++;
    this.#lastEnded = xid;
    return xid;
  }
  /** As GetSnapshotData has it: whoever is beyond the last that has ended is not looked at. */
  get xmin(): number {
    const xmax = this.#lastEnded + 1;
    return Math.min(xmax, ...this.open.map(({ xid }) => xid));
  }
  /** A statement of a writer: the change is made, and the bell is rung or not. */
  write(): void {
    this.open.push({ xid: this.#nextXid++, rings: this.lockedBy === null });
  }
  /** One more statement of a transaction. */
  writeMore(index: number): void {
    const transaction = this.open[index % (this.open.length || 1)];
    if (transaction && this.lockedBy === null) transaction.rings = true;
  }
  commit(index: number): void {
    const [transaction] = this.open.splice(index % (this.open.length || 1), 1);
    if (!transaction) return;
    this.committed.add(transaction.xid);
    this.#lastEnded = Math.max(this.#lastEnded, transaction.xid);
    if (transaction.rings) for (const session of this.listeners.values()) session.rung = true;
  }
}

class Session implements DoorbellLock {
  rung = false;
  /** Since when it would wait for the bell as long as may be. */
  waits = false;
  rounds: Rounds | null = null;
  readonly #id: number;
  readonly #model: Model;
  readonly #read: Set<number>;
  #heard = false;

  constructor(id: number, model: Model, read: Set<number>) {
    this.#id = id;
    this.#model = model;
    this.#read = read;
    model.listeners.set(id, this);
  }

  silence(): Promise<boolean> {
    if (this.#model.lockedBy !== null) return Promise.resolve(false);
    this.#model.lockedBy = this.#id;
    for (const other of this.#model.listeners.values()) {
      if (other === this) continue;
      other.#heard = true;
      other.rung = true;
    }
    return Promise.resolve(true);
  }
  unsilence(): Promise<string> {
    this.#model.lockedBy = null;
    return this.freshTransaction();
  }
  isSilent = (): Promise<boolean> =>
    Promise.resolve(this.#model.lockedBy !== null && this.#model.lockedBy !== this.#id);
  heardSilence(): boolean {
    const heard = this.#heard;
    this.#heard = false;
    return heard;
  }
  freshTransaction = (): Promise<string> => Promise.resolve(String(this.#model.giveXid()));
  hasPassed = (xid: string): Promise<boolean> => Promise.resolve(this.#model.xmin >= Number(xid));

  /** One round, as listener/drain.ts makes it. */
  async round(between: () => void): Promise<void> {
    this.rounds ??= await startRounds(this);
    await this.rounds.begin();
    between();
    this.rung = false;
    const found = this.#model.committed.size > this.#read.size;
    for (const xid of this.#model.committed) this.#read.add(xid);
    between();
    const wait = await this.rounds.end({ found, rung: this.rung }, true);
    this.waits = wait === null;
  }
  /** Its connection is lost, which Postgres has noticed or not yet. */
  die(noticed: boolean): void {
    this.#model.listeners.delete(this.#id);
    if (noticed) this.#model.notice(this.#id);
  }
}

type Step = {
  readonly kind: "write" | "more" | "commit" | "round" | "load" | "idle" | "die";
  readonly who: number;
};

const STEPS = fc.array(
  fc.record({
    kind: fc.oneof(
      { weight: 5, arbitrary: fc.constant("write" as const) },
      { weight: 1, arbitrary: fc.constant("more" as const) },
      { weight: 5, arbitrary: fc.constant("commit" as const) },
      { weight: 8, arbitrary: fc.constant("round" as const) },
      { weight: 2, arbitrary: fc.constant("load" as const) },
      { weight: 1, arbitrary: fc.constant("idle" as const) },
      { weight: 1, arbitrary: fc.constant("die" as const) },
    ),
    who: fc.nat(40),
  }),
  { maxLength: 120 },
);

/** Plays the steps with so many listeners; afterwards nobody writes, and only those who may look do. */
async function play(steps: readonly Step[], listeners: number, deaths: boolean): Promise<string | null> {
  const model = new Model();
  const read = new Set<number>();
  let nextId = 0;
  const sessions = Array.from({ length: listeners }, () => new Session(nextId++, model, read));
  const act = (step: Step): void => {
    if (step.kind === "write") model.write();
    if (step.kind === "more") model.writeMore(step.who);
    if (step.kind === "commit") model.commit(step.who);
  };
  for (const [index, step] of steps.entries()) {
    const place = step.who % sessions.length;
    const session = sessions[place];
    if (step.kind === "die" && deaths) {
      // The last one is started again; one of two is not missed.
      session?.die(step.who % 2 === 0);
      sessions.splice(place, 1, ...(sessions.length > 1 ? [] : [new Session(nextId++, model, read)]));
    } else if (step.kind === "load") {
      // Drain after drain finds something and is rung for again.
      for (let i = 0; i < 5; i += 1) {
        model.write();
        model.commit(model.open.length - 1);
        if (session && (!session.waits || session.rung)) {
          await session.round(() => {
            model.write();
            model.commit(model.open.length - 1);
          });
        }
      }
    } else if (step.kind === "idle") {
      for (let i = 0; i < 25 && session && (!session.waits || session.rung); i += 1)
        await session.round(() => undefined);
    } else if (step.kind === "round" && session && (!session.waits || session.rung)) {
      // Something happens before the drain, and something after it.
      await session.round(() => act(steps[(index * 7 + read.size) % steps.length] ?? step));
    } else act(step);
  }
  const rest = async (): Promise<void> => {
    for (let i = 0; i < 200; i += 1) {
      for (const session of sessions) {
        if (!session.waits || session.rung) await session.round(() => undefined);
      }
    }
  };
  await rest();
  // Those who are still at work commit at last, each after everybody had time to fall asleep.
  while (model.open.length > 0) {
    model.commit(0);
    await rest();
    const missing = [...model.committed].filter((xid) => !read.has(xid));
    if (missing.length > 0) return `${missing.length} lie unread, and everybody waits`;
  }
  for (let id = 0; id < nextId; id += 1) if (!model.listeners.has(id)) model.notice(id);
  await rest();
  const awake = sessions.filter(({ waits }) => !waits).length;
  return awake === 0 ? null : `${awake} still look by themselves`;
}

describe("the doorbell, in any order of steps", () => {
  it("never loses a change with one listener", async () => {
    await fc.assert(
      fc.asyncProperty(STEPS, async (steps) => {
        expect(await play(steps, 1, false)).toBeNull();
      }),
      { numRuns: 400 },
    );
  });

  it("never loses a change with one that dies and comes back", async () => {
    await fc.assert(
      fc.asyncProperty(STEPS, async (steps) => {
        expect(await play(steps, 1, true)).toBeNull();
      }),
      { numRuns: 400 },
    );
  });

  it("never loses a change with two, of which either may die", async () => {
    await fc.assert(
      fc.asyncProperty(STEPS, async (steps) => {
        expect(await play(steps, 2, true)).toBeNull();
      }),
      { numRuns: 2_000 },
    );
  });

  it("would lose a wake-up if it were trusted as soon as the lock has gone", async () => {
    // The same listener, told at once that everybody has ended: what the exit rule is for.
    const model = new Model();
    const read = new Set<number>();
    const session = new Session(0, model, read);
    session.hasPassed = () => Promise.resolve(true);
    const rest = async (): Promise<void> => {
      for (let i = 0; i < 60 && (!session.waits || session.rung); i += 1)
        await session.round(() => undefined);
    };
    await rest();
    for (let i = 0; i < 5 && session.rounds?.mode !== "silent"; i += 1) {
      await session.round(() => {
        model.write();
        model.commit(0);
      });
    }
    expect(session.rounds?.mode).toBe("silent");
    model.write(); // meets the lock
    await rest();
    expect(session.rounds?.mode).toBe("ringing");
    model.commit(0);
    expect(session.rung).toBe(false);
    expect(read.size).toBeLessThan(model.committed.size);
    expect(patience({ name: "ringing", busy: 0 }, true)).toBeNull();
  });
});
