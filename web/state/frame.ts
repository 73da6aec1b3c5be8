/**
 * Runs `work` once for any number of calls in a frame, so that a burst of changes costs one rendering. A hidden page has
 * no frames: there a timer stands in, and frames that were asked for before run when the page shows again.
 */
export function oncePerFrame(work: () => void): () => void {
  let asked = false;
  const run = () => {
    asked = false;
    work();
  };
  return () => {
    if (asked) return;
    asked = true;
    if (document.hidden) setTimeout(run, HIDDEN_MS);
    else requestAnimationFrame(run);
  };
}

const HIDDEN_MS = 500;
