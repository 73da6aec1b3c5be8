/** Whether the listener is to hold a connection to Postgres: listener/sleep.ts with its timer, and those who wait for it. */
import type { ListenerState } from "../protocol/control.ts";
import type { Logger } from "./log.ts";
import { after, begin, due, type SleepEvent, type SleepLimits, type SleepState } from "./sleep.ts";

export interface Vigil {
  readonly state: SleepState;
  /** Something has happened. */
  tell(event: SleepEvent): void;
  /** Resolves at once unless asleep, then when it wakes. Rejects with the signal's reason when that aborts. */
  untilAwake(signal: AbortSignal): Promise<void>;
}

export interface VigilOptions extends SleepLimits {
  readonly log: Logger;
  /** ms on a clock that only goes forward. */
  readonly now: () => number;
  /** The time until sleep is over: a last drain, and it may go. */
  readonly onIdle: () => void;
  /** How the listener is called now, by those who are told. */
  readonly onState: (state: ListenerState) => void;
}

/** setTimeout's limit; a longer wait is made of several. */
const MAX_TIMER_MS = 2_147_483_647;

export function createVigil({ log, now, onIdle, onState, ...limits }: VigilOptions): Vigil {
  let state = begin(now());
  let timer: NodeJS.Timeout | null = null;
  let wake: (() => void) | null = null;

  function tell(event: SleepEvent): void {
    const before = state;
    state = after(state, event, now(), limits);
    if (state === before) return;
    arm();
    if (state.name === before.name) return;
    log.debug({ before: before.name, now: state.name, event }, "vigil");
    if (state.name === "asleep") log.info("asleep: nobody watches, the database may sleep too");
    if (before.name === "asleep") log.info({ because: event.type }, "waking");
    if (called(before) !== called(state)) onState(called(state));
    if (state.name !== "asleep") wake?.();
  }

  function arm(): void {
    if (timer) clearTimeout(timer);
    timer = null;
    const at = due(state, limits);
    if (at === null) return;
    timer = setTimeout(ring, Math.min(Math.max(0, Math.ceil(at - now())), MAX_TIMER_MS));
  }
  function ring(): void {
    const at = due(state, limits);
    if (at !== null && now() < at) return arm();
    timer = null;
    if (state.name === "idle") onIdle();
    else tell({ type: "timer" });
  }

  return {
    get state() {
      return state;
    },
    tell,
    untilAwake(signal) {
      return new Promise((resolve, reject) => {
        const end = (): void => {
          signal.removeEventListener("abort", end);
          wake = null;
          if (signal.aborted) reject(signal.reason as Error);
          else resolve();
        };
        signal.addEventListener("abort", end);
        wake = end;
        if (signal.aborted || state.name !== "asleep") end();
      });
    },
  };
}

/** What the ChangeLog is told. */
export function called({ name }: SleepState): ListenerState {
  if (name === "asleep") return "asleep";
  return name === "waking" ? "connecting" : "live";
}
