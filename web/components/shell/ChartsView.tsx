import { signal } from "@preact/signals";
import { BINS_MS, milliseconds } from "../../state/latency-histogram.ts";
import { latencyCounts, latencySummary } from "../../state/latency.ts";
import { now } from "../../state/clock.ts";
import { KINDS, type PerKind, SIGNS } from "../../state/metrics-rates.ts";
import { lastMinute, ratesNow } from "../../state/metrics.ts";
import { duration } from "../../state/words.ts";
import { binLabel, histogramOptions, rateOptions, stack } from "./plot-options.ts";
import { Plot } from "./Plot.tsx";

const HEIGHT_PX = 132;

/** Where the pointer is in each chart. */
const second = signal<number | null>(null);
const bin = signal<number | null>(null);

/** What was drawn last, for who points at it. */
let rates: PerKind<number[]> = { inserted: [], updated: [], deleted: [] };
let bins: number[] = [];

export function ChartsView() {
  return (
    <>
      <figure class="card chart">
        <figcaption class="card-title">
          Changes a second <RateLegend />
        </figcaption>
        <Plot
          label="Changes a second over the last minutes, by operation"
          height={HEIGHT_PX}
          options={(palette) => rateOptions(palette, (index) => (second.value = index))}
          data={() => {
            const { seconds, series } = ratesNow();
            rates = series;
            return [seconds, ...stack(series)];
          }}
        />
        <RateWords />
      </figure>
      <figure class="card chart">
        <figcaption class="card-title">
          Commit to screen, ms <BinLegend />
        </figcaption>
        <Plot
          label="How many changes of the last five minutes took how long from commit to screen"
          height={HEIGHT_PX}
          options={(palette) => histogramOptions(palette, (index) => (bin.value = index))}
          data={() => {
            bins = latencyCounts();
            return [[...bins.keys()], bins];
          }}
        />
        <LatencyWords />
      </figure>
    </>
  );
}

/** Of the second pointed at, otherwise of the last whole one. */
function RateLegend() {
  void now.value;
  const count = rates.inserted.length;
  const at = second.value ?? count - 1;
  return (
    <span class="legend">
      {KINDS.map((kind) => (
        <span key={kind} class="legend-item" data-kind={kind}>
          <span class="swatch" aria-hidden="true">
            {SIGNS[kind]}
          </span>
          {kind} <b>{(rates[kind][at] ?? 0).toLocaleString()}</b>
        </span>
      ))}
      <span class="legend-when">{second.value === null ? "" : `${duration((count - at) * 1000)} ago`}</span>
    </span>
  );
}

function BinLegend() {
  const at = bin.value;
  if (at === null) return <span class="legend legend-when">last 5 min</span>;
  const from = at === 0 ? "0" : binLabel(at - 1);
  const range = at >= BINS_MS.length ? `over ${from}` : `${from} to ${binLabel(at)}`;
  return (
    <span class="legend">
      {range}: <b>{(bins[at] ?? 0).toLocaleString()}</b>
    </span>
  );
}

/** The charts in words, for who cannot see them. Not told by itself: it is there to be read. */
function RateWords() {
  const { inserted, updated, deleted } = lastMinute.value;
  return (
    <p class="sr-only">
      In the last minute {inserted} inserted, {updated} updated, {deleted} deleted.
    </p>
  );
}

function LatencyWords() {
  const { median, most } = latencySummary.value;
  if (median === null || most === null) return null;
  return (
    <p class="sr-only">
      Half of the changes took no longer than {milliseconds(median)}, 95 in 100 no longer than{" "}
      {milliseconds(most)}.
    </p>
  );
}
