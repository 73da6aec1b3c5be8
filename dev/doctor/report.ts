/** The self-test as people read it: a tick, a cross and the fix, or why it was not looked at. */
import type { Result } from "./check.ts";

/** Paints a text; given back as it is where there is no colour. */
export type Paint = (colour: "green" | "red" | "dim" | "bold", text: string) => string;

const MARKS = { ok: ["green", "✓"], failed: ["red", "✗"], skipped: ["dim", "-"] } as const;
const WIDTH = 14;

/** One check, with the fix on a line of its own. */
export function describeResult(result: Result, paint: Paint): string {
  const [colour, mark] = MARKS[result.status];
  const name = result.name.padEnd(WIDTH);
  const skipped = result.status === "skipped";
  const text = skipped ? paint("dim", `${name} skipped: ${result.detail}`) : `${name} ${result.detail}`;
  const fix = result.status === "failed" ? `\n    ${paint("bold", "fix")} ${result.fix}` : "";
  return `${paint(colour, mark)} ${text}${fix}`;
}

/** The last line. */
export function summarize(results: readonly Result[]): string {
  const count = (status: Result["status"]) => results.filter((result) => result.status === status).length;
  return `${count("ok")} fine, ${count("failed")} wrong, ${count("skipped")} skipped`;
}

export function isFine(results: readonly Result[]): boolean {
  return results.every(({ status }) => status !== "failed");
}

/** For programs. */
export function toJson(results: readonly Result[]): string {
  return JSON.stringify({ ok: isFine(results), checks: results }, null, 2);
}
