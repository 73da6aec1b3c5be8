/** The ledger against the truth: what is lost, doubled, out of order, or was never committed. */
import { ALL_WATCHED } from "./filters.ts";
import type { Account, EpochLog, Ledger } from "./ledger.ts";
import type { Truth } from "./truth.ts";

export interface Verdict {
  readonly committed: number;
  /** Committed, and in no log: but for those whose epoch ended before they got there (`reloaded`). */
  readonly lost: number;
  /** Not streamed because a new epoch began: clients reloaded and have them so. */
  readonly reloaded: number;
  readonly doubled: number;
  readonly outOfOrder: number;
  /** Streamed, and never committed. */
  readonly ghosts: number;
  readonly gaps: number;
  /** Held back by a filter that lets it through, or the other way round. */
  readonly misfiltered: number;
  readonly differing: number;
  readonly received: number;
  readonly truncated: number;
  readonly resets: Readonly<Record<string, number>>;
  readonly complaints: readonly string[];
}

const MAX_COMPLAINTS = 40;

export function judge(ledger: Ledger, truth: Truth): Verdict {
  const complaints = ledger.accounts.flatMap((account) => account.complaints);
  const complain = (words: string): void => {
    if (complaints.length < MAX_COMPLAINTS) complaints.push(words);
  };
  const seen = new Uint8Array(truth.size);
  const counts = { doubled: 0, outOfOrder: 0, ghosts: 0, gaps: 0, misfiltered: 0, differing: 0 };
  for (const { tally } of ledger.accounts) {
    counts.doubled += tally.doubled;
    counts.outOfOrder += tally.outOfOrder;
    counts.gaps += tally.gaps;
    counts.differing += tally.differing;
  }

  for (const log of ledger.epochs.values()) {
    const latest = new Map<number, number>();
    const truncated = new Map<number, number>();
    const newest = new Map<number, number>();
    for (let seq = 1; seq <= log.length; seq += 1) {
      if (log.at(seq) === 0) continue; // nobody watched then; an account with a hole has complained by itself
      const entry = truth.find(log.at(seq));
      if (!entry) {
        counts.ghosts += 1;
        complain(`${log.name}.${seq} was never committed`);
        continue;
      }
      const { order, row, table, isTruncate } = entry;
      seen[order] = (seen[order] ?? 0) + 1;
      if (seen[order] === 2) {
        counts.doubled += 1;
        complain(`${log.name}.${seq} is in the log twice`);
      }
      const before = isTruncate
        ? newest.get(table)
        : Math.max(latest.get(row) ?? -1, truncated.get(table) ?? -1);
      if ((before ?? -1) > order) {
        counts.outOfOrder += 1;
        complain(`${log.name}.${seq}: row ${row} of table ${table} is out of order`);
      }
      latest.set(row, order);
      newest.set(table, Math.max(newest.get(table) ?? -1, order));
      if (isTruncate) truncated.set(table, order);
    }
  }

  let [lost, reloaded] = [0, 0];
  for (const { order, mayMiss } of truth.entries) {
    if (seen[order] !== 0) continue;
    if (mayMiss) reloaded += 1;
    else {
      lost += 1;
      complain(`change ${order} of the outbox is in no log`);
    }
  }
  for (const account of ledger.accounts) counts.misfiltered += misfiltered(account, truth, complain);

  const resets: Record<string, number> = {};
  for (const { resets: list } of ledger.accounts)
    for (const { reason } of list) resets[reason] = (resets[reason] ?? 0) + 1;
  return {
    ...counts,
    committed: truth.size,
    lost,
    reloaded,
    received: ledger.accounts.reduce((sum, { tally }) => sum + tally.changes, 0),
    truncated: ledger.accounts.reduce((sum, { tally }) => sum + tally.truncated, 0),
    resets,
    complaints,
  };
}

/** What is wrong in a verdict, summed up. */
export function wrongs(verdict: Verdict): number {
  const { lost, doubled, outOfOrder, ghosts, gaps, misfiltered, differing } = verdict;
  return lost + doubled + outOfOrder + ghosts + gaps + misfiltered + differing;
}

/** Numbers that a filter should have let through and that did not come, or the other way round. */
function misfiltered(account: Account, truth: Truth, complain: (words: string) => void): number {
  const { watchedBit, name } = account;
  if (watchedBit === 0) return 0;
  let wrong = 0;
  for (const { epoch, from, to, received } of account.spans) {
    const got = new Set(received);
    for (let seq = from + 1; seq <= to; seq += 1) {
      const passes = shouldPass(epoch, seq, watchedBit, truth);
      if (passes === null || passes === got.has(seq)) continue;
      wrong += 1;
      complain(
        `${name} (${ALL_WATCHED[watchedBit]?.name}): ${epoch.name}.${seq} ${passes ? "was held back" : "came through"}`,
      );
    }
  }
  return wrong;
}

function shouldPass(epoch: EpochLog, seq: number, watchedBit: number, truth: Truth): boolean | null {
  const entry = truth.find(epoch.at(seq));
  return entry ? (entry.watchers & (1 << watchedBit)) !== 0 : null;
}
