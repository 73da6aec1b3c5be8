/** One clock for all processes of a run: ms with fractions since `origin`, itself in ms since 1970. */
export function createClock(origin: number): () => number {
  const offset = performance.timeOrigin - origin;
  return () => offset + performance.now();
}
