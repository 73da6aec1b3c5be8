/**
 * Lets the page do without WebSocket at a word, and take it up again, without being loaded anew: the client is given a
 * WebSocket that cannot be opened while SSE is forced, and falls back by its own rules; to come back, the event stream is
 * refused once.
 */
import type { Env } from "../../client/index.ts";

export interface Gate {
  readonly env: Pick<Env, "WebSocket" | "fetch">;
  /** True: SSE only, from the next connection on. */
  force(sse: boolean): void;
}

export function createGate(forced: boolean): Gate {
  let noWebSocket = forced;
  let noSse = false;
  class GatedWebSocket extends WebSocket {
    constructor(address: string | URL, protocols?: string | string[]) {
      if (noWebSocket) throw new Error("SSE is forced");
      super(address, protocols);
    }
  }
  return {
    env: {
      WebSocket: GatedWebSocket,
      fetch: (input, init) => {
        if (!noSse) return fetch(input, init);
        noSse = false;
        return Promise.reject(new Error("back to WebSocket"));
      },
    },
    force(sse) {
      noWebSocket = sse;
      noSse = !sse;
    },
  };
}
