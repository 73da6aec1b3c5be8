/** How much happens to the orders, as it arrives here. */
import { computed, signal } from "@preact/signals";
import { now } from "./clock.ts";
import { client } from "./connection.ts";
import { oncePerFrame } from "./frame.ts";
import { createRates, type PerKind, WINDOW_S } from "./metrics-rates.ts";

const rates = createRates();
const MINUTE_S = 60;

const secondOf = (ms: number): number => Math.floor(ms / 1000);

client.on("changes", ({ changes }) => {
  const second = secondOf(Date.now());
  for (const { table, operation } of changes) if (table === "orders") rates.add(operation, second);
  counted();
});

/** Another number whenever something was counted. */
const turn = signal(0);
const counted = oncePerFrame(() => {
  turn.value += 1;
});

/** Of the last minute: when something comes, and once a second, because time goes. */
export const lastMinute = computed(() => {
  void turn.value;
  return rates.sums(secondOf(Math.max(now.value, Date.now())), MINUTE_S);
});

/** What was before this page was opened is not known, and not drawn as if nothing had been. */
const openedAt = secondOf(Date.now());

/** Changes per second: the whole seconds of the last five minutes, or of the last one and more while the page is young. */
export function ratesNow(): { readonly seconds: number[]; readonly series: PerKind<number[]> } {
  const last = secondOf(Date.now()) - 1; // the present one is not over
  const span = Math.min(WINDOW_S, Math.max(MINUTE_S, last - openedAt + 1));
  return {
    seconds: Array.from({ length: span }, (_, index) => last - span + 1 + index),
    series: rates.last(last, span),
  };
}
