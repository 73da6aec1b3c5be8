/**
 * Where writes that are not sent yet outlive the page: one place for each tab, or two of them would write over each other. A
 * tab holds a lock on its own; what a closed tab has left, the next one that opens takes over and sends. Each write has an
 * Idempotency-Key, so one that had arrived after all is not done twice.
 */

const PREFIX = "rowcast.pending.";
/** Survives a reload of the tab, and no more. */
const TAB = "rowcast.tab";

interface Storage {
  load(): Promise<string | null>;
  save(text: string): Promise<void>;
}

export function pendingStorage(): Storage {
  let place: Promise<string> | undefined;
  let known: string | undefined;
  const own = () => (place ??= takePlace().then((name) => (known = name)));
  return {
    async load() {
      return read(await own());
    },
    // at once where the place is known: a page that goes waits for nothing
    save: async (text) => write(known ?? (await own()), text),
  };
}

/** The name of a place that no other tab holds: this tab's from before, one that was left, or a new one. */
async function takePlace(): Promise<string> {
  const before = quietly(() => sessionStorage.getItem(TAB)) ?? null;
  const left = quietly(() => Object.keys(localStorage).filter((name) => name.startsWith(PREFIX))) ?? [];
  for (const name of [before, ...left, `${PREFIX}${Date.now()}.${Math.random()}`]) {
    if (name === null || !(await hold(name))) continue;
    quietly(() => sessionStorage.setItem(TAB, name));
    return name;
  }
  return PREFIX;
}

/** Browsers have locks only under https and on localhost; elsewhere two tabs share their luck. */
function hold(name: string): Promise<boolean> {
  if (!("locks" in navigator)) return Promise.resolve(true);
  return new Promise((resolve) => {
    const held = navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock && new Promise(() => undefined); // for as long as the page lives
    });
    held.catch(() => resolve(true));
  });
}

function read(name: string): string | null {
  return quietly(() => localStorage.getItem(name)) ?? null;
}

function write(name: string, text: string): void {
  quietly(() => localStorage.setItem(name, text));
}

/** A browser that keeps nothing, or has no room left: what is written here then lives as long as the page. */
function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
