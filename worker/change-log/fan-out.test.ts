import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Position } from "../../protocol/position.ts";
import { FanOut, type HubReport } from "./fan-out.ts";
import type { Batch, ReadResult } from "./history.ts";

/** A hub that answers when it is told to. */
class SlowHub {
  readonly pushes: Batch[] = [];
  #answers: ((report: HubReport | Error) => void)[] = [];

  push(batch: Batch): Promise<HubReport> {
    this.pushes.push(batch);
    return new Promise((resolve, reject) => {
      this.#answers.push((report) => (report instanceof Error ? reject(report) : resolve(report)));
    });
  }

  async answer(report: HubReport | Error): Promise<void> {
    this.#answers.shift()?.(report);
    await vi.advanceTimersByTimeAsync(0);
  }
}

const EPOCH = "abc";
let head: number;
let hubs: Map<string, SlowHub>;
let warnings: string[];
let told: string[];
let fanOut: FanOut;

function batch(from: number, to: number): Batch {
  return { epoch: EPOCH, from, to, text: `${from}-${to}` };
}

/** Something new, some time after what was before. */
function grow(by = 1, afterMs = 8): void {
  vi.setSystemTime(Date.now() + afterMs);
  const from = head;
  head += by;
  fanOut.deliver(batch(from, head));
}

beforeEach(() => {
  vi.useFakeTimers();
  head = 0;
  warnings = [];
  told = [];
  hubs = new Map([
    ["a", new SlowHub()],
    ["b", new SlowHub()],
  ]);
  fanOut = new FanOut(
    {
      call: (name) => ({
        push: (next: Batch) => {
          const hub = hubs.get(name);
          if (!hub) throw new Error("no such hub");
          return hub.push(next);
        },
        tell: () => {
          told.push(name);
          return Promise.resolve({ clients: 0, at: 1_000_000 });
        },
      }),
      read: (since: Position): ReadResult => ({ ok: true, batch: batch(since.seq, head) }),
      head: () => ({ epoch: EPOCH, seq: head }),
      status: () => ({ connectedClients: 1, listener: "live", lagMs: 0 }),
      changed: () => undefined,
      pushEveryMs: 8,
      warn: (event) => void warnings.push(event),
    },
    [],
  );
  for (const name of hubs.keys()) fanOut.report(name, { clients: 1, at: 1 }, { epoch: EPOCH, seq: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});

function hub(name: string): SlowHub {
  const found = hubs.get(name);
  if (!found) throw new Error(`no hub ${name}`);
  return found;
}

describe("pushing to hubs", () => {
  it("has one push under way to each, and sends what came meanwhile together with the next", async () => {
    grow();
    grow();
    grow();
    expect(hub("a").pushes).toEqual([batch(0, 1)]);
    await hub("a").answer({ clients: 1, at: 2 });
    expect(hub("a").pushes).toEqual([batch(0, 1), batch(1, 3)]);
  });

  it("sends at once when there was a pause, and together what comes faster than that", async () => {
    grow();
    expect(hub("a").pushes).toEqual([batch(0, 1)]);
    await hub("a").answer({ clients: 1, at: 2 });
    grow(1, 3);
    grow(1, 3);
    expect(hub("a").pushes).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(5);
    expect(hub("a").pushes).toEqual([batch(0, 1), batch(1, 3)]);
  });

  it("does not let a hub that hangs keep another waiting", async () => {
    grow();
    await hub("b").answer({ clients: 1, at: 2 });
    grow();
    expect(hub("b").pushes).toEqual([batch(0, 1), batch(1, 2)]);
    expect(hub("a").pushes).toHaveLength(1);
  });

  it("tries a hub that hangs again after ten seconds, with everything it lacks", async () => {
    grow();
    grow();
    await vi.advanceTimersByTimeAsync(9999);
    expect(hub("a").pushes).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1 + 250);
    expect(hub("a").pushes.at(-1)).toEqual(batch(0, 2));
    await hub("a").answer({ clients: 1, at: 2 }); // the late answer to the first
    await hub("a").answer({ clients: 1, at: 3 });
    grow();
    expect(hub("a").pushes.at(-1)).toEqual(batch(2, 3));
  });

  it("tries a hub that fails again with growing pauses, and sends it everything it lacks", async () => {
    grow();
    await hub("a").answer(new Error("overloaded"));
    grow();
    expect(warnings).toEqual(["push to hub failed, trying again"]);
    await vi.advanceTimersByTimeAsync(250);
    expect(hub("a").pushes.at(-1)).toEqual(batch(0, 2));
    await hub("a").answer(new Error("overloaded"));
    await vi.advanceTimersByTimeAsync(999);
    const tried = hub("a").pushes.length;
    await vi.advanceTimersByTimeAsync(1);
    expect(hub("a").pushes.length).toBe(tried + 1);
    await hub("a").answer({ clients: 1, at: 2 });
    expect(hub("a").pushes.at(-1)).toEqual(batch(0, 2));
  });

  it("leaves a hub that failed alone for its pause, however much comes meanwhile", async () => {
    grow();
    await hub("a").answer(new Error("overloaded"));
    for (let i = 0; i < 20; i += 1) grow();
    expect(hub("a").pushes).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(250);
    expect(hub("a").pushes).toEqual([batch(0, 1), batch(0, 21)]);
    expect(warnings).toEqual(["push to hub failed, trying again"]);
  });

  it("tries a hub that failed for long again with the next change, when its pause is over", async () => {
    grow();
    for (let failures = 1; failures <= 13; failures += 1) {
      await hub("a").answer(new Error("overloaded"));
      await vi.advanceTimersByTimeAsync(10_000);
    }
    expect(hub("a").pushes).toHaveLength(13);
    grow();
    expect(hub("a").pushes.at(-1)).toEqual(batch(0, 2));
  });

  it("forgets a hub that says it has no clients, unless it has said otherwise since", async () => {
    grow();
    fanOut.report("a", { clients: 3, at: 9 });
    await hub("a").answer({ clients: 0, at: 5 });
    expect(fanOut.connectedClients).toBe(4);
    await hub("b").answer({ clients: 0, at: 5 });
    expect(fanOut.connectedClients).toBe(3);
    grow();
    expect(hub("b").pushes).toHaveLength(1);
  });

  it("asks hubs of which nothing was heard for long, and forgets those that have nobody any more", async () => {
    fanOut.report("a", { clients: 2, at: 90 });
    fanOut.ask(50);
    await vi.advanceTimersByTimeAsync(0);
    expect(told).toEqual(["b"]);
    expect(fanOut.connectedClients).toBe(2);
  });

  it("makes a hub whose place it does not know look for itself", () => {
    hubs.set("c", new SlowHub());
    head = 7;
    fanOut.report("c", { clients: 1, at: 1 });
    expect(hub("c").pushes).toEqual([{ epoch: EPOCH, from: 7, to: 7, text: "" }]);
  });
});
