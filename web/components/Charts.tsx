import { isIdle } from "./shell/idle.ts";
import { lazyPart } from "./shell/lazy.tsx";

const view = lazyPart(async () => {
  nameLanguage();
  return (await import("./shell/ChartsView.tsx")).ChartsView;
});

/** uPlot hands the browser's language to Intl as it is, and where LANG is POSIX, Chromium has one that Intl refuses. */
function nameLanguage(): void {
  try {
    Intl.NumberFormat.supportedLocalesOf(navigator.language);
  } catch {
    Object.defineProperty(navigator, "language", { value: "en-US", configurable: true });
  }
}

/** The charts. Their room is kept until they are there, so that nothing jumps. */
export function Charts() {
  return <div class="charts">{isIdle.value && <view.Part />}</div>;
}
