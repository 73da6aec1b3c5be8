/**
 * From commit to screen: the way of a change by the database's clock, and on top what this page took until it drew it. Changes
 * that a page catches up on were not late, the page was: they do not count.
 */
import { computed, signal } from "@preact/signals";
import { client } from "./connection.ts";
import { now } from "./clock.ts";
import { oncePerFrame } from "./frame.ts";
import { createLatencyHistogram } from "./latency-histogram.ts";

const TRAIL = 48;

const histogram = createLatencyHistogram();

/** Of the newest change, in ms; null before the first. */
export const latencyNow = signal<number | null>(null);
/** Of the newest changes that were drawn together, the oldest first. */
export const latencyTrail = signal<readonly number[]>([]);

/** Sorting a thousand numbers is for once a second; the first is shown at once. */
export const latencySummary = computed(() => {
  void [now.value, latencyNow.value === null];
  return { median: histogram.quantile(0.5), most: histogram.quantile(0.95) };
});

/** How many changes of the last five minutes fell into each bin of `BINS_MS`. */
export function latencyCounts(): number[] {
  return histogram.counts(Date.now() / 1000);
}

/** Waiting to be drawn; all of them are in the same frame. */
let arrived: { readonly age: number; readonly at: number }[] = [];

const drawn = oncePerFrame(() => {
  const [time, second] = [performance.now(), Date.now() / 1000];
  const isSeen = !document.hidden;
  let newest = 0;
  for (const { age, at } of arrived) {
    newest = age + (isSeen ? time - at : 0); // a hidden page draws nothing: then until it was here
    histogram.add(second, newest);
  }
  arrived = [];
  latencyNow.value = newest;
  latencyTrail.value = [...latencyTrail.value.slice(1 - TRAIL), newest];
});

client.on("changes", ({ changes }) => {
  const age = client.latency.get();
  const newest = changes.at(-1);
  if (!newest || age === null || client.state.get().name !== "live") return;
  const at = performance.now();
  const latest = Date.parse(newest.timestamp);
  for (const { timestamp, table } of changes) {
    if (table === "orders") arrived.push({ age: age + Math.max(0, latest - Date.parse(timestamp)), at });
  }
  if (arrived.length > 0) drawn();
});
