/** The tables that a run prints: medians over its rounds, and the ratios of the two systems in it. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { cpus, loadavg, totalmem } from "node:os";
import type { Load, Measured } from "./measure.ts";
import { median } from "./tally.ts";

/** Rowcast first. */
export type Results = readonly { readonly name: string; readonly rounds: readonly Measured[] }[];

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
  const rounds = results[0]?.rounds.length ?? 0;
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
  for (const [label, value] of [
    ["p50", ({ p50 }: Measured) => p50],
    ["p99", ({ p99 }: Measured) => p99],
  ] as const) {
    const [ours, best] = against(results, value, Math.min);
    console.log(`Rowcast's ${label} is ${(ours - best).toFixed(2)} ms over that of the best of the others.`);
  }
}

/** Ours, and the best of the others. */
function against(
  results: Results,
  value: (measured: Measured) => number,
  best: (...values: number[]) => number,
): [ours: number, others: number] {
  const [ours = Number.NaN, ...others] = results.map(({ rounds }) => median(rounds.map(value)));
  return [ours, best(...others)];
}

export function printLoad(
  results: Results,
  { sockets, connections, forMs }: Load,
  bareCommits: number,
): void {
  const rounds = results[0]?.rounds.length ?? 0;
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
  for (const [label, value, pick] of [
    ["changes delivered/s", ({ deliveredPerSecond }: Measured) => deliveredPerSecond, Math.max],
    ["commits/s", ({ commitsPerSecond }: Measured) => commitsPerSecond, Math.max],
    ["p99", ({ p99 }: Measured) => p99, Math.min],
  ] as const) {
    const [ours, best] = against(results, value, pick);
    console.log(`Rowcast's ${label}: ${(ours / best).toFixed(2)} × that of the best of the others.`);
  }
  console.log(`Without any trigger the same writers reach ${bareCommits.toFixed(0)} commits/s.`);
}

const EXACTNESS: Row[] = [
  ["deliveries missing at the end", ({ missing }) => missing, 0],
  ["deliveries doubled", ({ doubled }) => doubled, 0],
  ["frames that skipped or repeated", ({ gaps }) => gaps, 0],
];

function print(title: string, results: Results, rows: readonly Row[]): void {
  const cell = (text: string): string => text.padStart(12);
  console.log(`\n${title} (load ${(loadavg()[0] ?? 0).toFixed(1)})`);
  console.log(`${" ".repeat(42)}${results.map(({ name }) => cell(name)).join("")}   rounds`);
  for (const [label, value, digits] of rows) {
    const cells = results.map(({ rounds }) => cell(median(rounds.map(value)).toFixed(digits)));
    const each = (results[0]?.rounds ?? []).map((_, round) =>
      results
        .map(({ rounds }) => rounds.slice(round, round + 1).map((one) => value(one).toFixed(digits)))
        .join("|"),
    );
    console.log(`${label.padEnd(42)}${cells.join("")}   ${each.join("  ")}`);
  }
}

async function versionOf(name: string): Promise<string> {
  const path = createRequire(import.meta.url).resolve(`${name}/package.json`);
  return (JSON.parse(await readFile(path, "utf8")) as { version: string }).version;
}
