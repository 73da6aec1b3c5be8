const [WIDTH, HEIGHT, PAD] = [64, 20, 2];

/** The last values as a line, without numbers: those stand beside it. */
export function Sparkline({ values }: { readonly values: readonly number[] }) {
  if (values.length < 2) return null;
  // a scale that one slow change does not flatten for good, and that noise of a few ms does not fill
  const top = Math.max(20, ...values);
  const points = values.map((value, index) => {
    const x = PAD + (index / (values.length - 1)) * (WIDTH - 2 * PAD);
    const y = HEIGHT - PAD - (value / top) * (HEIGHT - 2 * PAD);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  const [x, y] = points.at(-1)?.split(",") ?? [];
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      aria-hidden="true"
    >
      <polyline points={points.join(" ")} />
      <circle cx={x} cy={y} r="1.8" />
    </svg>
  );
}
