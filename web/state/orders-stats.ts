/**
 * The counts as the server has them, kept up by the stream: for the while in which not all orders are loaded, and for good
 * when they are too many to be. Joined like the rows are: a change that the server's snapshot shows is not counted again.
 */
import { signal } from "@preact/signals";
import type { Change } from "../../protocol/change.ts";
import { ORDER_STATUSES } from "../../protocol/order-status.ts";
import type { OrderStatus } from "../../protocol/orders.ts";
import { isVisible, parseSnapshot, type Snapshot } from "../../protocol/snapshot.ts";
import { countOrders } from "../api.ts";
import { client } from "./connection.ts";
import { oncePerFrame } from "./frame.ts";
import { isCutOff } from "./orders-collection.ts";
import type { Counts } from "./orders-tally.ts";

/** Null before the server has told them. */
export const statsCounts = signal<Counts | null>(null);

/** How many names there are only the server can say; asked at most this often, and only when a name came or went. */
const ASK_EVERY_MS = 15_000;

let counts: { all: number; byStatus: Record<OrderStatus, number>; customers: number } | null = null;
let snapshot: Snapshot | null = null;
/** What has come while the server is asked. */
let kept: Change[] | null = null;
let asking = 0;
let later: ReturnType<typeof setTimeout> | undefined;

const show = oncePerFrame(() => {
  if (counts) statsCounts.value = { ...counts, byStatus: { ...counts.byStatus } };
});

async function ask(): Promise<void> {
  const mine = ++asking;
  kept = [];
  const answer = await countOrders().catch(() => null); // the list says what is wrong, and its next load asks again
  if (mine !== asking || !answer) return;
  snapshot = parseSnapshot(answer.snapshot);
  counts = { ...answer.counts, byStatus: { ...answer.counts.byStatus } };
  const waiting = kept ?? [];
  kept = null;
  waiting.forEach(count);
  show();
}

function count(change: Change): void {
  if (!counts || !snapshot || isVisible(change.xid, snapshot)) return;
  const { operation, data, old } = change;
  if (operation === "TRUNCATE") {
    for (const status of ORDER_STATUSES) counts.byStatus[status] = 0;
    counts.all = counts.customers = 0;
    return;
  }
  const by = operation === "INSERT" ? 1 : operation === "DELETE" ? -1 : 0;
  counts.all += by;
  if (by !== 0) add(data?.status, by);
  else if (old?.status !== undefined) {
    add(old.status, -1);
    add(data?.status, 1);
  }
  if (by !== 0 || old?.customer_name !== undefined) askLater();
}

function add(status: unknown, by: number): void {
  const known = ORDER_STATUSES.find((name) => name === status);
  if (counts && known) counts.byStatus[known] += by;
}

function askLater(): void {
  if (!isCutOff.peek()) return;
  later ??= setTimeout(() => {
    later = undefined;
    void ask();
  }, ASK_EVERY_MS);
}

client.on("changes", ({ changes }) => {
  const mine = changes.filter(({ table }) => table === "orders");
  if (mine.length === 0) return;
  if (kept) kept.push(...mine);
  else mine.forEach(count);
  show();
});

// once the stream is open, or nothing would keep them up; after a reset they may be of another history
client.on("welcome", () => {
  if (counts === null) void ask();
});
client.on("reset", () => void ask());
