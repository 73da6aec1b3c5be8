/** Whether the Worker still answers: its server may live on with nothing behind it. */

const EVERY_MS = 2_000;
const ANSWER_TIMEOUT_MS = 3_000;
/** One silence may be a rebuild, or a machine that was asleep. */
const MAX_SILENCES = 3;

/** Asks `/health` every few seconds and calls `onSilent` when nothing sensible has come back several times in a row. */
export function watchHealth(url: string, onSilent: () => void): { stop(): void } {
  let silences = 0;
  let asking = false;
  const timer = setInterval(() => {
    if (asking) return;
    asking = true;
    void ask(url).then((answered) => {
      asking = false;
      silences = answered ? 0 : silences + 1;
      if (silences < MAX_SILENCES) return;
      silences = 0;
      onSilent();
    });
  }, EVERY_MS);
  return { stop: () => clearInterval(timer) };
}

async function ask(url: string): Promise<boolean> {
  try {
    const response = await fetch(new URL("/health", url), { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
    await response.body?.cancel();
    return response.status < 500;
  } catch {
    return false;
  }
}
