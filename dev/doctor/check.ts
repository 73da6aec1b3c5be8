/** What a self-test is made of: checks in order, each of which may need others to have gone well. */

/** What a check found. `fix` is what to do, in one sentence. */
export type Finding =
  | { readonly status: "ok"; readonly detail: string; readonly hops?: readonly TimedHop[] }
  | { readonly status: "failed"; readonly detail: string; readonly fix: string }
  | { readonly status: "skipped"; readonly detail: string };

export interface TimedHop {
  readonly hop: string;
  readonly ms: number;
}

export interface Check<Stage> {
  readonly name: string;
  /** Names of checks without which this one makes no sense. */
  readonly needs?: readonly string[];
  /** What to do when it throws: something came that was not thought of. */
  readonly fix: string;
  run(stage: Stage): Promise<Finding> | Finding;
}

export type Result = Finding & { readonly name: string; readonly ms: number };

/**
 * Runs one after the other. A check whose needs have not gone well is skipped, and says which one it was; one that throws
 * has failed with the error's message.
 *
 * @param onResult is told of each at once.
 * @param now ms on a clock that only goes forward.
 */
export async function runChecks<Stage>(
  checks: readonly Check<Stage>[],
  stage: Stage,
  onResult: (result: Result) => void = () => undefined,
  now: () => number = () => performance.now(),
): Promise<Result[]> {
  const results: Result[] = [];
  for (const check of checks) {
    const startedAt = now();
    const lacking = check.needs?.find((need) =>
      results.some(({ name, status }) => name === need && status !== "ok"),
    );
    const finding: Finding =
      lacking === undefined
        ? await runOne(check, stage)
        : { status: "skipped", detail: `needs ${lacking}, see above` };
    const result = { name: check.name, ...finding, ms: Math.round(now() - startedAt) };
    results.push(result);
    onResult(result);
  }
  return results;
}

async function runOne<Stage>(check: Check<Stage>, stage: Stage): Promise<Finding> {
  try {
    return await check.run(stage);
  } catch (error) {
    return { status: "failed", detail: messageOf(error), fix: check.fix };
  }
}

export function ok(detail: string): Finding {
  return { status: "ok", detail };
}

export function failed(detail: string, fix: string): Finding {
  return { status: "failed", detail, fix };
}

export function skipped(detail: string): Finding {
  return { status: "skipped", detail };
}

/** A host with several addresses, none of which answers, gives an error without a message, but with a code. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause, code } = error as { cause?: unknown; code?: unknown };
  if (error.message === "fetch failed" && cause !== undefined) return messageOf(cause);
  return error.message || (typeof code === "string" ? code : error.name);
}
