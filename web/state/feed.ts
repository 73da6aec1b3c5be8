/** The changes as they came, newest first: for the feed, for a file of them, and in few words for screen readers. */
import { computed, signal } from "@preact/signals";
import type { Change, Operation } from "../../protocol/change.ts";
import { client } from "./connection.ts";
import { announce } from "./describe.ts";
import { type FeedEntry, passesFeed, toEntry } from "./feed-entry.ts";
import { oncePerFrame } from "./frame.ts";

export type { FeedEntry } from "./feed-entry.ts";

/** What is kept to look back at, and to export. */
export const MAX_ENTRIES = 2000;

/** The only operation that is shown; null shows all. */
export const feedOperation = signal<Operation | null>(null);
/** A part of what an entry says. */
export const feedText = signal("");
/** Whether changes of other tables than orders are shown too. */
export const allTables = signal(false);

const latest = signal<readonly FeedEntry[]>([]);
/** What the feed showed when it was paused; null while it runs. */
const held = signal<readonly FeedEntry[] | null>(null);

export const paused = computed(() => held.value !== null);

const filter = computed(() => passesFeed(feedOperation.value, feedText.value, allTables.value));

/** What the feed shows. */
export const feed = computed(() => (held.value ?? latest.value).filter(filter.value));

/** How many entries came since the pause, as far as they are kept. */
export const missed = computed(() => {
  if (held.value === null) return 0;
  const lastSeen = held.value[0]?.id ?? 0;
  let count = 0;
  for (const entry of latest.value) {
    if (entry.id <= lastSeen) break;
    if (filter.value(entry)) count++;
  }
  return count;
});

/** The newest announcement; it changes every few seconds at most. */
export const announcement = signal("");

export function togglePause(): void {
  held.value = held.value === null ? latest.value : null;
}

export function clearFeed(): void {
  waiting = [];
  latest.value = [];
  if (held.value) held.value = [];
}

/** One line of JSON for each change that the feed shows, the oldest first. */
export function feedAsJsonLines(): string {
  return feed
    .peek()
    .toReversed()
    .map(({ change, watching }) => `${JSON.stringify({ ...change, watching })}\n`)
    .join("");
}

/** With the number of people who were watching when it came. */
let waiting: { readonly change: Change; readonly watching: number | null }[] = [];
const unannounced = new Map<Operation, number>();
let newest: Change | undefined;
let quiet: ReturnType<typeof setTimeout> | undefined;

const flush = oncePerFrame(() => {
  const entries = waiting.map(({ change, watching }) => toEntry(change, watching)).toReversed();
  waiting = [];
  latest.value = [...entries, ...latest.value.slice(0, Math.max(0, MAX_ENTRIES - entries.length))];
});

client.on("changes", ({ changes }) => {
  const watching = client.status.get()?.connectedClients ?? null;
  const skipped = Math.max(0, changes.length - MAX_ENTRIES);
  for (const change of skipped > 0 ? changes.slice(skipped) : changes) waiting.push({ change, watching });
  if (waiting.length > 2 * MAX_ENTRIES) waiting = waiting.slice(-MAX_ENTRIES); // a hidden page flushes rarely
  if (waiting.length === 0) return;
  flush();
  for (const change of changes) {
    if (change.table !== "orders" && !allTables.peek()) continue;
    newest = change;
    unannounced.set(change.operation, (unannounced.get(change.operation) ?? 0) + 1);
  }
  if (unannounced.size > 0) quiet ??= setTimeout(speak, ANNOUNCE_AFTER_MS);
});

const ANNOUNCE_AFTER_MS = 500;
const ANNOUNCE_EVERY_MS = 5000;

function speak(): void {
  if (newest) announcement.value = announce(newest, unannounced);
  unannounced.clear();
  quiet = setTimeout(() => {
    quiet = undefined;
    if (unannounced.size > 0) speak();
  }, ANNOUNCE_EVERY_MS);
}
