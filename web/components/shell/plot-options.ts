/** How the two charts are drawn. */
import uPlot from "uplot";
import { BINS_MS } from "../../state/latency-histogram.ts";
import { KINDS, type PerKind } from "../../state/metrics-rates.ts";
import type { Palette } from "./Plot.tsx";

type Options = Omit<uPlot.Options, "width" | "height">;

const FONT = "11px system-ui, sans-serif";
const MINUTE_S = 60;
/** A calm table must not look like a storm: the scale reaches at least this far. */
const LEAST_TOP = 4;

/** Stacked: the curves are drawn from the top, each over the one before. */
export function stack(series: PerKind<number[]>): [number[], number[], number[]] {
  const inserted = series.inserted;
  const updated = inserted.map((count, at) => count + (series.updated[at] ?? 0));
  const deleted = updated.map((count, at) => count + (series.deleted[at] ?? 0));
  return [deleted, updated, inserted];
}

export function rateOptions(palette: Palette, onPoint: (index: number | null) => void): Options {
  const paths = uPlot.paths.stepped?.({ align: 1 });
  const area = (color: string): uPlot.Series => ({
    fill: color,
    width: 0,
    points: { show: false },
    ...(paths && { paths }),
  });
  return {
    ...common(onPoint),
    scales: { x: { time: false }, y: { range: (_, __, top) => [0, Math.max(LEAST_TOP, top * 1.1)] } },
    axes: [
      {
        ...axis(palette),
        splits: (_, __, min, max) => {
          const step = max - min > 2 * MINUTE_S ? MINUTE_S : MINUTE_S / 4;
          const count = Math.floor((max - min) / step) + 1;
          return Array.from({ length: count }, (___, n) => max - n * step).toReversed();
        },
        values: (plot, splits) => {
          const end = plot.scales["x"]?.max ?? 0;
          return splits.map((at) => agoLabel(end - at));
        },
      },
      {
        ...axis(palette),
        size: 34,
        space: 32,
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000],
      },
    ],
    series: [{}, ...KINDS.toReversed().map((kind) => area(palette[kind]))],
  };
}

export function histogramOptions(palette: Palette, onPoint: (index: number | null) => void): Options {
  const paths = uPlot.paths.bars?.({ size: [0.86, 80], radius: 0.12 });
  return {
    ...common(onPoint),
    scales: {
      x: { time: false, range: [-0.6, BINS_MS.length + 0.6] },
      y: { range: (_, __, top) => [0, Math.max(1, top * 1.1)] },
    },
    axes: [
      {
        ...axis(palette),
        splits: () => [...BINS_MS.keys(), BINS_MS.length],
        values: (plot, splits) => {
          // where every label has no room, every other one
          const step = plot.width < 300 ? 2 : 1;
          return splits.map((bin) => (bin % step === 0 ? binLabel(bin) : ""));
        },
        grid: { show: false },
      },
      { ...axis(palette), show: false },
    ],
    series: [{}, { fill: palette.accent, width: 0, points: { show: false }, ...(paths && { paths }) }],
  };
}

/** `now`, `−45 s`, `−2 min`. */
function agoLabel(seconds: number): string {
  if (seconds === 0) return "now";
  return seconds < MINUTE_S ? `−${seconds} s` : `−${seconds / MINUTE_S} min`;
}

/** `5`, `200`, `1 s`, and `more` for the last. */
export function binLabel(bin: number): string {
  const end = BINS_MS[bin];
  if (end === undefined) return "more";
  return end < 1000 ? String(end) : `${end / 1000} s`;
}

function axis({ text, line }: Palette): uPlot.Axis {
  return {
    stroke: text,
    font: FONT,
    size: 22,
    gap: 4,
    grid: { stroke: line, width: 1 },
    ticks: { show: false },
  };
}

function common(
  onPoint: (index: number | null) => void,
): Pick<Options, "cursor" | "legend" | "hooks" | "padding"> {
  return {
    padding: [6, 14, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)] },
  };
}
