/** Long work in short tasks. */

/** Half a frame: the other half is the page's. */
const SLICE_MS = 8;

/**
 * Runs `work` to its end, a slice at a time, and hands its result to `done`: at once, when it ends within the first slice.
 *
 * @returns the function that gives it up.
 */
export function runInSlices<T>(work: Generator<void, T>, done: (result: T) => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const slice = () => {
    const end = performance.now() + SLICE_MS;
    for (let step = work.next(); ; step = work.next()) {
      if (step.done) return done(step.value);
      if (performance.now() > end) break;
    }
    timer = setTimeout(slice);
  };
  slice();
  return () => clearTimeout(timer);
}
