/** The whole self-test. */
import { runChecks, type Check, type Result } from "./check.ts";
import { databaseChecks } from "./database-checks.ts";
import type { Settings } from "./settings.ts";
import { Stage } from "./stage.ts";
import { wayChecks } from "./way-checks.ts";
import { workerChecks } from "./worker-checks.ts";

export const CHECKS: readonly Check<Stage>[] = [...databaseChecks, ...workerChecks, ...wayChecks];

/**
 * @param onResult is told of each as it is known.
 * @param now ms since 1970 by this machine's clock.
 */
export async function examine(
  settings: Settings,
  onResult?: (result: Result) => void,
  now?: () => number,
): Promise<Result[]> {
  const stage = new Stage(settings, now);
  try {
    return await runChecks(CHECKS, stage, onResult);
  } finally {
    await stage.close();
  }
}
