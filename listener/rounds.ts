/** From one drain to the next: keeps the doorbell silent under load, and says how long to wait (listener/silence.ts). */
import type { Database } from "./database.ts";
import { afterDrain, GUARDING, leaving, patience, SILENT, wish, type Drained, type Mode } from "./silence.ts";

export interface Rounds {
  readonly mode: Mode["name"];
  /** Before a drain: looks whether what this mode waits for has come. */
  begin(): Promise<void>;
  /**
   * After it: takes or releases the lock; then how long to wait for the bell at most, null as long as may be.
   *
   * @param isWatched whether any client may be connected.
   */
  end(drained: Drained, isWatched: boolean): Promise<number | null>;
}

/** What is asked of Postgres. */
export type DoorbellLock = Pick<
  Database,
  "silence" | "unsilence" | "isSilent" | "hasPassed" | "freshTransaction" | "heardSilence"
>;

/** After LISTEN: who takes the lock from now on is heard. @throws what Postgres answers. */
export async function startRounds(database: DoorbellLock): Promise<Rounds> {
  let mode = await found();
  let passed = false;

  /** The mode that fits when this session does not hold the lock. The order of the two questions is what makes it safe. */
  async function found(): Promise<Mode> {
    return (await database.isSilent()) ? GUARDING : leaving(await database.freshTransaction());
  }

  return {
    get mode() {
      return mode.name;
    },
    async begin() {
      // Before the drain, so that the drain sees what those brought who had ended by then.
      passed = mode.name === "leaving" && (await database.hasPassed(mode.until));
      if (mode.name === "guarding") {
        mode = await found();
      } else if (mode.name !== "silent" && database.heardSilence()) {
        mode = GUARDING;
      }
    },
    async end(drained, isWatched) {
      mode = afterDrain(mode, drained, passed);
      const next = wish(mode);
      if (next === "release") mode = leaving(await database.unsilence());
      if (next === "take") mode = (await database.silence()) ? SILENT : await found();
      return patience(mode, isWatched);
    },
  };
}
