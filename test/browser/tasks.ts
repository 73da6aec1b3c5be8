/** The tasks of a page's main thread, read from the browser's trace. */
import type { Browser, Page } from "playwright-core";

export interface Tasks {
  readonly count: number;
  /** The longest, in ms of the processor's time: of what else the machine does nothing is in it. */
  readonly longestMs: number;
  /** The longest by the clock on the wall. */
  readonly longestWallMs: number;
  /** How much of the time the page's main thread was at work, 0 to 1. */
  readonly busy: number;
}

/** With no more than these the trace is not of a page that anything happened to. */
const FEW_TASKS = 10;

/** In µs. */
interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  /** By the clock. */
  readonly dur?: number;
  /** Of the processor. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/**
 * Watches the page from now on. Resolves with what ends that and tells of the tasks in between; a browser watches one
 * page at a time.
 *
 * @throws (when asked) if there were too few to tell anything.
 */
export async function watchTasks(browser: Browser, page: Page): Promise<() => Promise<Tasks>> {
  await browser.startTracing(page, { categories: ["toplevel"] });
  return async () => {
    const { traceEvents } = JSON.parse(String(await browser.stopTracing())) as { traceEvents: TraceEvent[] };
    return tasksIn(traceEvents);
  };
}

function tasksIn(events: readonly TraceEvent[]): Tasks {
  const threads = events.filter(
    ({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain",
  );
  // the page's is the busiest: a browser keeps a spare one at hand
  const candidates = threads.map(({ pid, tid }) =>
    events.filter(
      (event) => event.pid === pid && event.tid === tid && event.ph === "X" && event.name.endsWith("RunTask"),
    ),
  );
  const sum = (list: readonly TraceEvent[]) => list.reduce((ms, { tdur = 0 }) => ms + tdur / 1000, 0);
  const tasks = candidates.toSorted((a, b) => sum(b) - sum(a))[0] ?? [];
  if (tasks.length <= FEW_TASKS) throw new Error(`the trace has ${tasks.length} tasks of a page`);
  const [first, last] = [tasks[0]?.ts ?? 0, tasks.at(-1)?.ts ?? 0];
  return {
    count: tasks.length,
    longestMs: Math.max(...tasks.map(({ tdur = 0 }) => tdur / 1000)),
    longestWallMs: Math.max(...tasks.map(({ dur = 0 }) => dur / 1000)),
    busy: (sum(tasks) * 1000) / (last - first),
  };
}
