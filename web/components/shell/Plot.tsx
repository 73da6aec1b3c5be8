/** A uPlot chart as wide as its place, in the colours of the theme, drawn anew once a second while somebody looks. */
import { effect } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { now } from "../../state/clock.ts";
import { isDark } from "../../state/theme.ts";

/** What a chart may use, as a canvas understands it. */
export interface Palette {
  readonly text: string;
  readonly line: string;
  readonly inserted: string;
  readonly updated: string;
  readonly deleted: string;
  readonly accent: string;
}

export interface PlotProps {
  readonly label: string;
  readonly height: number;
  readonly options: (palette: Palette) => Omit<uPlot.Options, "width" | "height">;
  readonly data: () => uPlot.AlignedData;
}

export function Plot({ label, height, options, data }: PlotProps) {
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = place.current;
    if (!element) return;
    let plot: uPlot | undefined;
    const stopTheme = effect(() => {
      void isDark.value;
      plot?.destroy();
      const size = { width: Math.max(40, element.clientWidth), height };
      plot = new uPlot({ ...size, ...options(paletteOf(element)) }, data(), element);
    });
    const stopTime = effect(() => {
      void now.value;
      if (!document.hidden && element.clientWidth > 0) plot?.setData(data());
    });
    const observer = new ResizeObserver(() => {
      if (element.clientWidth > 0) plot?.setSize({ width: element.clientWidth, height });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      stopTime();
      stopTheme();
      plot?.destroy();
    };
  }, []);
  return <div ref={place} class="plot" role="img" aria-label={label} />;
}

/** A canvas knows no custom properties: an element is asked what they come to. */
function paletteOf(element: HTMLElement): Palette {
  const asked = document.createElement("span");
  element.append(asked);
  const color = (name: string) => {
    asked.style.color = `var(--${name})`;
    return getComputedStyle(asked).color;
  };
  const palette = {
    text: color("text-muted"),
    line: color("line"),
    inserted: color("chart-inserted"),
    updated: color("chart-updated"),
    deleted: color("chart-deleted"),
    accent: color("accent"),
  };
  asked.remove();
  return palette;
}
