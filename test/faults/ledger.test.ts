/** The suite's own checker: it has to see what it looks for. */
import { beforeEach, describe, expect, test } from "vitest";
import type { Change } from "../../protocol/change.ts";
import { ALL_WATCHED, CRATES, EVERYTHING } from "./filters.ts";
import { Ledger, type Account } from "./ledger.ts";
import { Truth } from "./truth.ts";
import { judge, wrongs } from "./verdict.ts";

const EVERYTHING_BIT = ALL_WATCHED.indexOf(EVERYTHING);
const CRATES_BIT = ALL_WATCHED.indexOf(CRATES);

function change(seq: number, more: Partial<Change> = {}): Change {
  return {
    seq,
    xid: String(100 + seq),
    table: "crates",
    operation: "UPDATE",
    key: { id: 1 },
    data: { id: 1, n: seq },
    old: { n: seq - 1 },
    timestamp: `2026-11-21T00:00:00.00000${seq}Z`,
    ...more,
  };
}

/** An outbox that holds these, in this order. */
async function outbox(changes: readonly Change[], mayMiss: readonly number[] = []): Promise<Truth> {
  const truth = new Truth();
  const text = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));
  const rows = changes.map(({ seq, xid, table, operation, key, data, old, timestamp }) => ({
    id: String(seq),
    xid,
    table,
    operation,
    key: text(key),
    data: text(data),
    old: text(old),
    at: timestamp,
    may_miss: mayMiss.includes(seq),
  }));
  await truth.read({ query: () => Promise.resolve({ rows: rows.splice(0) }) }, []);
  return truth;
}

const FOUR = [1, 2, 3, 4].map((seq) => change(seq));

describe("the checker", () => {
  let ledger: Ledger;
  let account: Account;
  beforeEach(() => {
    ledger = new Ledger();
    account = ledger.open("one", EVERYTHING_BIT);
    account.begin("e.0");
  });

  test("finds nothing wrong with a stream that is the outbox", async () => {
    account.take("e.0", "e.2", FOUR.slice(0, 2));
    account.take("e.2", "e.4", FOUR.slice(2));
    expect(wrongs(judge(ledger, await outbox(FOUR)))).toBe(0);
  });

  test("sees a change that is lost, unless a new epoch began meanwhile", async () => {
    account.take("e.0", "e.3", FOUR.slice(0, 3));
    expect(judge(ledger, await outbox(FOUR))).toMatchObject({ lost: 1, reloaded: 0 });
    expect(judge(ledger, await outbox(FOUR, [4]))).toMatchObject({ lost: 0, reloaded: 1 });
  });

  test("sees a gap, at once", () => {
    account.take("e.0", "e.1", FOUR.slice(0, 1));
    account.take("e.2", "e.3", FOUR.slice(2, 3));
    expect(account.tally.gaps).toBeGreaterThan(0);
  });

  test("sees a change that comes twice to a client", () => {
    account.take("e.0", "e.2", FOUR.slice(0, 2));
    account.take("e.2", "e.2", FOUR.slice(1, 2));
    expect(account.tally.doubled).toBe(1);
  });

  test("sees a change that is in the log twice, under two numbers and in two epochs", async () => {
    account.take("e.0", "e.2", [change(1), { ...change(1), seq: 2 }]);
    account.reset("epoch", "f.0");
    account.take("f.0", "f.1", [{ ...change(1), seq: 1 }]);
    expect(judge(ledger, await outbox([change(1)]))).toMatchObject({ doubled: 1 });
  });

  test("sees changes of a row in the wrong order, and of a table around its TRUNCATE", async () => {
    const [first, second] = [change(1), change(2)];
    account.take("e.0", "e.2", [
      { ...second, seq: 1 },
      { ...first, seq: 2 },
    ]);
    expect(judge(ledger, await outbox([first, second]))).toMatchObject({ outOfOrder: 1, lost: 0 });

    const emptied = change(2, { operation: "TRUNCATE", key: null, data: null, old: null });
    const other = new Ledger();
    const reader = other.open("two", EVERYTHING_BIT);
    reader.begin("e.0");
    reader.take("e.0", "e.2", [
      { ...emptied, seq: 1 },
      { ...first, seq: 2 },
    ]);
    expect(judge(other, await outbox([first, emptied]))).toMatchObject({ outOfOrder: 1 });
  });

  test("sees what was never committed", async () => {
    account.take("e.0", "e.1", [change(1, { data: { id: 1, n: 99 } })]);
    expect(judge(ledger, await outbox([change(1)]))).toMatchObject({ ghosts: 1, lost: 1 });
  });

  test("sees two clients that are told different things", () => {
    account.take("e.0", "e.1", [change(1)]);
    const other = ledger.open("two", EVERYTHING_BIT);
    other.begin("e.0");
    other.take("e.0", "e.1", [change(1, { data: { id: 1, n: 99 } })]);
    expect(other.tally.differing).toBe(1);
  });

  test("sees a filter that holds back, and one that lets through", async () => {
    const rows = [change(1), change(2, { table: "items" })];
    account.take("e.0", "e.2", rows);
    const filtered = ledger.open("two", CRATES_BIT);
    filtered.begin("e.0");
    filtered.take("e.0", "e.2", rows.slice(1));
    expect(judge(ledger, await outbox(rows))).toMatchObject({ misfiltered: 2 });
  });
});
