/** The changes as they came, newest first: for the feed, and in few words for screen readers. */
import { computed, signal } from "@preact/signals";
import type { Change, Operation } from "../../protocol/change.ts";
import { client } from "./connection.ts";
import { announce, describeChange, type Description } from "./describe.ts";
import { oncePerFrame } from "./frame.ts";

export interface FeedEntry extends Description {
  readonly id: number;
  readonly operation: Change["operation"];
  /** The row was too large to be sent. */
  readonly truncated: boolean;
  /** ISO 8601, by the database's clock. */
  readonly timestamp: string;
}

export const MAX_ENTRIES = 200;

const latest = signal<readonly FeedEntry[]>([]);
/** What the feed showed when it was paused; null while it runs. */
const held = signal<readonly FeedEntry[] | null>(null);

export const paused = computed(() => held.value !== null);
export const feed = computed(() => held.value ?? latest.value);

/** How many entries came since the pause, as far as they are kept. */
export const missed = computed(() => {
  const lastSeen = held.value?.[0]?.id ?? 0;
  return held.value === null ? 0 : latest.value.filter((entry) => entry.id > lastSeen).length;
});

/** The newest announcement; it changes every few seconds at most. */
export const announcement = signal("");

export function togglePause(): void {
  held.value = held.value === null ? latest.value : null;
}

let nextId = 1;
let waiting: Change[] = [];
const unannounced = new Map<Operation, number>();
let newest: Change | undefined;
let quiet: ReturnType<typeof setTimeout> | undefined;

const flush = oncePerFrame(() => {
  const entries = waiting.slice(-MAX_ENTRIES).map(toEntry).toReversed();
  waiting = [];
  latest.value = [...entries, ...latest.value].slice(0, MAX_ENTRIES);
});

client.on("changes", ({ changes }) => {
  if (changes.length === 0) return;
  waiting.push(...changes);
  newest = changes.at(-1);
  for (const { operation } of changes) unannounced.set(operation, (unannounced.get(operation) ?? 0) + 1);
  if (waiting.length > 2 * MAX_ENTRIES) waiting = waiting.slice(-MAX_ENTRIES); // a hidden page flushes rarely
  flush();
  quiet ??= setTimeout(speak, ANNOUNCE_AFTER_MS);
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

function toEntry(change: Change): FeedEntry {
  return {
    ...describeChange(change),
    id: nextId++,
    operation: change.operation,
    truncated: change.truncated === true,
    timestamp: change.timestamp,
  };
}
