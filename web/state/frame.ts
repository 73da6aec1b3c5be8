/** Two renderings of a burst are this far apart: as fast as anybody can read, and most of the time left to the page. */
const GAP_MS = 100;
/** A page that nobody sees. */
const HIDDEN_MS = 500;

/**
 * Runs `work` once for any number of calls: in the next frame when all has been quiet, in a burst at most ten times a
 * second. A hidden page has no frames: there a timer stands in, and a frame that was asked for before comes when the page
 * shows again.
 */
export function oncePerFrame(work: () => void): () => void {
  let asked = false;
  let lastRun = 0;
  const run = () => {
    asked = false;
    lastRun = performance.now();
    work();
  };
  return () => {
    if (asked) return;
    asked = true;
    const rest = lastRun + GAP_MS - performance.now();
    if (document.hidden) setTimeout(run, HIDDEN_MS);
    else if (lastRun > 0 && rest > 0) setTimeout(() => requestAnimationFrame(run), rest);
    else requestAnimationFrame(run);
  };
}
