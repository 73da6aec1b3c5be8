/** What the client needs of its runtime: all of it from `globalThis` unless given. */
export interface Env {
  readonly WebSocket: typeof globalThis.WebSocket;
  readonly fetch: typeof globalThis.fetch;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Draws from [0, 1). */
  readonly random: () => number;
  readonly setTimeout: (callback: () => void, ms: number) => unknown;
  readonly clearTimeout: (timer: unknown) => void;
}

/** The runtime's own. Timers and fetch are wrapped: browsers refuse them with another `this`. */
export function defaultEnv(): Env {
  const { WebSocket, fetch } = globalThis;
  return {
    WebSocket,
    fetch: (input, init) => fetch(input, init),
    now: Date.now,
    random: Math.random,
    setTimeout: (callback, ms) => setTimeout(callback, ms),
    clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
  };
}
