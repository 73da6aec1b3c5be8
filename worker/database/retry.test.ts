import { describe, expect, it } from "vitest";
import type { QueryOptions } from "./database.ts";
import { DatabaseError, DatabaseUnavailable } from "./failure.ts";
import { fateOf, FateUnknown, withRetries } from "./retry.ts";

const sql = (sqlState: string) => new DatabaseError("said Postgres", { sqlState });
const notSent = new DatabaseUnavailable("refused", { sent: false });
const cut = new DatabaseUnavailable("cut");

describe("the fate of a failed statement", () => {
  it.each([
    [sql("57P03"), "did not happen"],
    [sql("53300"), "did not happen"],
    [sql("40001"), "did not happen"],
    [sql("40P01"), "did not happen"],
    [notSent, "did not happen"],
    [sql("57P01"), "unknown"],
    [sql("57P02"), "unknown"],
    [sql("08006"), "unknown"],
    [cut, "unknown"],
    [sql("23505"), "final"],
    [sql("42501"), "final"],
    [sql("28P01"), "final"],
    [new TypeError("a bug of ours"), "final"],
  ])("%s: %s", (error, fate) => {
    expect(fateOf(error)).toBe(fate);
  });
});

const BUDGET_MS = 8_000;

/** A database that fails so, each time anew, until the list is used up; and a clock that only sleeping moves. */
function play(failures: readonly Error[], random = 0.5) {
  const left = [...failures];
  let now = 0;
  let attempts = 0;
  const pauses: number[] = [];
  const database = withRetries(
    {
      query: <T>() => {
        attempts += 1;
        const failure = left.shift();
        return failure ? Promise.reject(failure) : Promise.resolve([{ ok: true }] as T[]);
      },
    },
    BUDGET_MS,
    {
      now: () => now,
      random: () => random,
      sleep: (ms) => {
        pauses.push(ms);
        now += ms;
        return Promise.resolve();
      },
    },
  );
  const ask = (options?: QueryOptions) => database.query("…", [], options);
  return { ask, pauses, attempts: () => attempts, now: () => now };
}

describe("trying again", () => {
  it("repeats what reads, with pauses that double and are drawn", async () => {
    const { ask, pauses } = play([cut, sql("57P01"), notSent, cut, cut, cut]);
    expect(await ask({ repeatable: true })).toEqual([{ ok: true }]);
    expect(pauses).toEqual([50, 100, 200, 400, 800, 800]);
  });

  it("repeats a write that surely did not happen", async () => {
    const { ask, attempts } = play([notSent, sql("57P03"), sql("53300")]);
    expect(await ask()).toEqual([{ ok: true }]);
    expect(attempts()).toBe(4);
  });

  it("does not repeat a write whose fate is unknown, and says so", async () => {
    for (const error of [cut, sql("57P01"), sql("08006")]) {
      const { ask, attempts } = play([error]);
      await expect(ask()).rejects.toBeInstanceOf(FateUnknown);
      expect(attempts()).toBe(1);
    }
  });

  it("does not repeat what was answered for good", async () => {
    const { ask, attempts } = play([sql("23505")]);
    await expect(ask({ repeatable: true })).rejects.toMatchObject({ sqlState: "23505" });
    expect(attempts()).toBe(1);
  });

  it("ends within its budget, with the last error", async () => {
    const { ask, now } = play(
      Array.from({ length: 100 }, () => notSent),
      0.99,
    );
    await expect(ask({ repeatable: true })).rejects.toBe(notSent);
    expect(now()).toBeLessThan(BUDGET_MS);
    expect(now()).toBeGreaterThan(BUDGET_MS / 2);
  });
});
