/** The tables that a run prints: medians over its rounds, and the ratios of the two systems in it. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { cpus, loadavg, totalmem } from "node:os";
import type { Load, Measured } from "./measure.ts";
import { median } from "./tally.ts";

interface Results {
  readonly rowcast: readonly Measured[];
  readonly baseline: readonly Measured[];
}

type Row = [label: string, value: (measured: Measured) => number, digits: number];

/** What the figures hold for, in one line. */
export async function machine(postgresVersion: string, load: number): Promise<string> {
  const [wrangler, workerd] = await Promise.all([versionOf("wrangler"), versionOf("workerd")]);
  const memory = Math.round(totalmem() / 2 ** 30);
  return [
    `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}, ${memory} GiB, load ${load.toFixed(1)} before`,
    `Node ${process.versions.node}, wrangler ${wrangler}, workerd ${workerd}, Postgres ${postgresVersion}`,
  ].join("; ");
}

export function printLatency(results: Results, { sockets, perSecond, forMs }: Load): void {
  const rounds = results.rowcast.length;
  print(
    `Commit to client: ${sockets} clients, ${perSecond} changes/s, ${rounds} × ${forMs / 1000} s`,
    results,
    [
      ["p50 ms", ({ p50 }) => p50, 2],
      ["p99 ms", ({ p99 }) => p99, 2],
      ["  of which the statement itself, p50 ms", ({ commitP50 }) => commitP50, 2],
      ["changes written", ({ written }) => written, 0],
      ...EXACTNESS,
    ],
  );
  const difference =
    median(results.rowcast.map(({ p50 }) => p50)) - median(results.baseline.map(({ p50 }) => p50));
  console.log(`Rowcast's p50 is ${difference.toFixed(2)} ms over the baseline's (aim: at most 4 ms).`);
}

export function printLoad(
  results: Results,
  { sockets, connections, forMs }: Load,
  bareCommits: number,
): void {
  const rounds = results.rowcast.length;
  print(
    `Under load: ${sockets} clients, ${connections} connections write as fast as they can, ${rounds} × ${forMs / 1000} s`,
    results,
    [
      ["changes delivered/s", ({ deliveredPerSecond }) => deliveredPerSecond, 0],
      ["commits/s of the writers", ({ commitsPerSecond }) => commitsPerSecond, 0],
      ["p50 ms", ({ p50 }) => p50, 0],
      ["p99 ms", ({ p99 }) => p99, 0],
      ["last commit to last arrival ms", ({ tailMs }) => tailMs, 0],
      ["changes a frame", ({ delivered, doubled, frames }) => (delivered + doubled) / frames, 1],
      ["changes written", ({ written }) => written, 0],
      ...EXACTNESS,
    ],
  );
  console.log(`Without any trigger the same writers reach ${bareCommits.toFixed(0)} commits/s.`);
}

const EXACTNESS: Row[] = [
  ["deliveries missing at the end", ({ missing }) => missing, 0],
  ["deliveries doubled", ({ doubled }) => doubled, 0],
  ["frames that skipped or repeated", ({ gaps }) => gaps, 0],
];

function print(title: string, { rowcast, baseline }: Results, rows: readonly Row[]): void {
  const cell = (text: string): string => text.padStart(12);
  console.log(`\n${title} (load ${(loadavg()[0] ?? 0).toFixed(1)})`);
  console.log(`${" ".repeat(42)}${cell("Rowcast")}${cell("baseline")}${cell("ratio")}   rounds`);
  for (const [label, value, digits] of rows) {
    const [a, b] = [rowcast.map(value), baseline.map(value)];
    const each = a.map((one, round) => `${one.toFixed(digits)}|${(b[round] ?? NaN).toFixed(digits)}`);
    const ratio = median(b) === 0 ? "" : (median(a) / median(b)).toFixed(2);
    const [ours, theirs] = [median(a).toFixed(digits), median(b).toFixed(digits)];
    console.log(`${label.padEnd(42)}${cell(ours)}${cell(theirs)}${cell(ratio)}   ${each.join("  ")}`);
  }
}

async function versionOf(name: string): Promise<string> {
  const path = createRequire(import.meta.url).resolve(`${name}/package.json`);
  return (JSON.parse(await readFile(path, "utf8")) as { version: string }).version;
}
