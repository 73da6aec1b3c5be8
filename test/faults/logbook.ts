/** Every line that listeners and the Worker log during a run, and what there is to say against them. */

interface Told {
  count: number;
  /** When, in ms since 1970, the last one was written. */
  lastAt: number;
  /** Two from one process came closer than this, in ms. */
  closest: number;
  example: string;
}

/** A lasting fault is told at most once a second; the clocks of throttle and log may differ by this much. */
const CLOSEST_MS = 950;

export class Logbook {
  /** By source (a process) and event. */
  readonly #told = new Map<string, Told>();
  /** What is no line of the project's own: by its first words. */
  readonly #foreign = new Map<string, number>();
  #lines = 0;

  /** @param source one process: its lines are compared with each other. */
  add(source: string, text: string): void {
    this.#lines += 1;
    const line = parse(text);
    if (line === null) {
      const words = text.replaceAll(/[0-9a-f]{6,}|[0-9]+/g, "#").slice(0, 100);
      this.#foreign.set(words, (this.#foreign.get(words) ?? 0) + 1);
      return;
    }
    if (!line.warning) return;
    const key = `${source}\n${line.event}`;
    const at = line.at ?? Date.now();
    const told = this.#told.get(key);
    if (told === undefined) {
      this.#told.set(key, { count: 1, lastAt: at, closest: Number.POSITIVE_INFINITY, example: text });
      return;
    }
    told.closest = Math.min(told.closest, at - told.lastAt);
    told.count += 1;
    told.lastAt = at;
  }

  get lines(): number {
    return this.#lines;
  }

  /** Events that one process told more than once a second. */
  tooOften(): { event: string; source: string; closestMs: number; count: number }[] {
    return [...this.#told]
      .filter(([, { closest }]) => closest < CLOSEST_MS)
      .map(([key, { closest, count }]) => {
        const [source = "", event = ""] = key.split("\n");
        return { source, event, closestMs: closest, count };
      });
  }

  /** What was told, each event once with how often and one line of it. */
  events(): { event: string; count: number; example: string }[] {
    const byEvent = new Map<string, { count: number; example: string }>();
    for (const [key, { count, example }] of this.#told) {
      const event = `${key.startsWith("listener") ? "listener" : "worker"}: ${key.split("\n")[1] ?? ""}`;
      const known = byEvent.get(event);
      if (known) known.count += count;
      else byEvent.set(event, { count, example });
    }
    return [...byEvent].map(([event, told]) => ({ event, ...told })).toSorted((a, b) => b.count - a.count);
  }

  foreign(): { words: string; count: number }[] {
    return [...this.#foreign]
      .map(([words, count]) => ({ words, count }))
      .toSorted((a, b) => b.count - a.count);
  }
}

const WARN = 40;

/** A line of the listener (pino) or of the Worker; null when it is neither. */
function parse(text: string): { event: string; at: number | null; warning: boolean } | null {
  if (!text.startsWith("{")) return null;
  try {
    const line = JSON.parse(text) as {
      level?: number | string;
      msg?: string;
      event?: string;
      time?: number | string;
      hub?: string;
    };
    const event = line.msg ?? line.event;
    if (event === undefined) return null;
    const warning = typeof line.level === "number" ? line.level >= WARN : line.level !== "info";
    const at = line.time === undefined ? null : new Date(line.time).getTime();
    return { event: line.hub === undefined ? event : `${event} (${line.hub})`, at, warning };
  } catch {
    return null; // something that only looks like JSON
  }
}
