/**
 * When the listener lets go of the database, so that a compute that sleeps by itself (Neon's) can.
 *
 *     waking ──caught up──► awake ──nobody watches──► idle ──caught up, long enough──► asleep
 *       ▲                    ▲ │                       │ └──the connection is lost──►──┤
 *       │                    │ └─the connection is lost│                               │
 *       │                    └──somebody watches───────┘                               │
 *       └─────────────somebody watches, a write, it has slept long enough──────────────┘
 *
 * It sleeps only when it has been told that nobody watches, and by somebody who can wake it: with no control socket it
 * stays awake. A connection that is lost while nobody watches is most likely the compute falling asleep, and connecting
 * again would wake it. Once asleep it stays so when the control socket is lost: that says nothing about the database.
 *
 * Pure: `now` is passed in, listener/vigil.ts does what it says.
 */

export interface SleepState {
  readonly name: "waking" | "awake" | "idle" | "asleep";
  /** Of the whole deployment; null when it is not known. */
  readonly clients: number | null;
  /** When this began, on the clock of `now`. Idle: when the time until sleep began. */
  readonly since: number;
  /** Waking to look once: with nobody watching it sleeps again as soon as it has caught up. */
  readonly brief: boolean;
}

export type SleepEvent =
  /** So many clients watch. */
  | { readonly type: "watchers"; readonly clients: number }
  /** The control socket is gone: who watches is not known any more. */
  | { readonly type: "deaf" }
  /** Something was written through the API. */
  | { readonly type: "wake" }
  /** Everything that was there has been delivered. */
  | { readonly type: "caught up" }
  /** The connection to Postgres is gone. */
  | { readonly type: "lost" }
  /** The moment named by `due` may have come. */
  | { readonly type: "timer" };

export interface SleepLimits {
  /** With nobody watching for so long it lets go. */
  readonly idleAfterMs: number;
  /** Asleep for so long it looks once; 0: never. */
  readonly wakeEveryMs: number;
}

/** At its start: connect, and find out. */
export function begin(now: number): SleepState {
  return { name: "waking", clients: null, since: now, brief: false };
}

/** When something happens by itself, on the clock of `now`; null: never. */
export function due(state: SleepState, { idleAfterMs, wakeEveryMs }: SleepLimits): number | null {
  if (state.name === "idle") return state.since + idleAfterMs;
  if (state.name === "asleep" && wakeEveryMs > 0) return state.since + wakeEveryMs;
  return null;
}

/** What it is after `event`; the very same object when nothing changes. */
export function after(state: SleepState, event: SleepEvent, now: number, limits: SleepLimits): SleepState {
  switch (event.type) {
    case "watchers":
      return hear(state, event.clients, now);
    case "deaf":
      return hear(state, null, now);
    case "wake":
      if (state.name === "asleep") return { ...state, name: "waking", since: now, brief: false };
      // The time begins again: who writes once may write twice.
      if (state.name === "idle") return { ...state, since: now };
      return state.brief ? { ...state, brief: false } : state;
    case "caught up":
      if (state.name === "waking") return settle(state, now);
      return state.name === "idle" && isDue(state, now, limits) ? fall(state, now) : state;
    case "lost":
      if (state.name === "idle") return fall(state, now);
      return state.name === "awake" ? { ...state, name: "waking", since: now } : state;
    case "timer":
      // Idle: only what has been delivered lets it go, see "caught up".
      if (state.name !== "asleep" || !isDue(state, now, limits)) return state;
      return { ...state, name: "waking", since: now, brief: true };
  }
}

function hear(state: SleepState, clients: number | null, now: number): SleepState {
  const heard = state.clients === clients ? state : { ...state, clients };
  const watched = clients === null || clients > 0;
  switch (state.name) {
    case "waking":
      return clients !== null && clients > 0 && state.brief ? { ...heard, brief: false } : heard;
    case "awake":
      return watched ? heard : { ...heard, name: "idle", since: now };
    case "idle":
      return watched ? { ...heard, name: "awake", since: now } : heard;
    case "asleep":
      return clients !== null && clients > 0 ? { ...heard, name: "waking", since: now, brief: false } : heard;
  }
}

function settle(state: SleepState, now: number): SleepState {
  if (state.clients !== 0) return { ...state, name: "awake", since: now, brief: false };
  return state.brief ? fall(state, now) : { ...state, name: "idle", since: now };
}

function fall(state: SleepState, now: number): SleepState {
  return { ...state, name: "asleep", since: now, brief: false };
}

function isDue(state: SleepState, now: number, limits: SleepLimits): boolean {
  const at = due(state, limits);
  return at !== null && now >= at;
}
