/**
 * The control socket to the ChangeLog, held for ever: over it the listener hears who watches and is woken, and says
 * whether it sleeps. It has nothing to do with deliveries: without it they go on, only sleep is impossible.
 */
import * as http from "node:http";
import * as https from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import * as v from "valibot";
import { CONTROL_PONG, ToListener } from "../protocol/control.ts";
import type { FromListener, ListenerState } from "../protocol/control.ts";
import { PING } from "../protocol/frames.ts";
import type { Backoff } from "./backoff.ts";
import type { Report } from "./report.ts";

/** A proxy in between may hold its tongue for a minute; together with the next, 35 s until a dead socket is noticed. */
const PING_EVERY_MS = 25_000;
const PONG_IN_MS = 10_000;

export interface Control {
  /** Says it now, if the socket is open, and whenever one opens. */
  say(state: ListenerState): void;
}

export interface ControlOptions {
  /** The Worker's address, with a slash at its end. */
  readonly url: string;
  readonly secret: string;
  /** What is said until `say` says something else. */
  readonly state: ListenerState;
  readonly report: Report;
  readonly backoff: Backoff;
  readonly onMessage: (message: ToListener) => void;
  /** The socket that was open is no more. */
  readonly onLost: () => void;
  /** The Worker has none, or not for us (it was set back, or the secret changed): nobody can wake who sleeps. */
  readonly onMissing: () => void;
  readonly signal: AbortSignal;
  /** Shorter in tests. */
  readonly pingEveryMs?: number;
  readonly pongInMs?: number;
}

/** Opens the socket, and another whenever it is lost, until `signal` aborts. Never throws. */
export function holdControl(options: ControlOptions): Control {
  const { report, backoff, signal } = options;
  let { state } = options;
  let open: WebSocket | null = null;
  let known = true;
  void hold();

  async function hold(): Promise<void> {
    while (!signal.aborted) {
      const reason = await talk();
      if (signal.aborted) return;
      const missing = await findMissing(options);
      const retryInMs = missing === null ? backoff.next() : backoff.longest();
      if (missing === null) report.fault("reconnecting the control socket", { reason, retryInMs });
      else if (known) {
        report.log.warn({ reason: missing }, "no control socket: staying awake");
        options.onMissing();
      }
      known = missing === null;
      await sleep(retryInMs, undefined, { signal }).catch(() => {}); // Stopped: the loop sees it.
    }
  }

  /** One socket from its opening to its end; resolves with the reason of that. */
  function talk(): Promise<string> {
    const { url, secret, onMessage, onLost, pingEveryMs = PING_EVERY_MS, pongInMs = PONG_IN_MS } = options;
    const address = new URL("internal/control", url);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address, { headers: { authorization: `Bearer ${secret}` } });
    const hearing = new AbortController();
    const until = { signal: hearing.signal };
    return new Promise((resolve) => {
      let timer = setTimeout(() => end(`no connection in ${pongInMs} ms`), pongInMs);
      const end = (reason: string): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        // A dead socket may take long to notice its end: it is left to itself, and nothing more is heard of it.
        hearing.abort();
        socket.close();
        const wasOpen = open === socket;
        open = null;
        if (wasOpen && !signal.aborted) onLost();
        resolve(reason);
      };
      const onAbort = (): void => end("the listener stops");
      const listen = (): void => {
        clearTimeout(timer);
        timer = setTimeout(() => {
          socket.send(PING);
          timer = setTimeout(() => end(`no answer in ${pongInMs} ms`), pongInMs);
        }, pingEveryMs);
      };
      signal.addEventListener("abort", onAbort);
      socket.addEventListener(
        "open",
        () => {
          open = socket;
          known = true;
          sayIt();
          listen();
          report.log.debug("control socket open");
        },
        until,
      );
      socket.addEventListener(
        "message",
        ({ data }) => {
          // Only now: a Worker that takes sockets and drops them at once shall not be asked ten times a second.
          backoff.reset();
          listen();
          const message = data === CONTROL_PONG ? null : parseMessage(data);
          if (message) onMessage(message);
        },
        until,
      );
      socket.addEventListener(
        "close",
        ({ code, reason }) => end(`closed with ${code} ${reason}`.trimEnd()),
        until,
      );
      socket.addEventListener("error", () => end("cannot be opened, or broke"), until);
      if (signal.aborted) onAbort();
    });
  }

  function sayIt(): void {
    open?.send(JSON.stringify({ type: "state", state } satisfies FromListener));
  }

  return {
    say(next) {
      state = next;
      sayIt();
    },
  };
}

function parseMessage(data: unknown): ToListener | null {
  try {
    const result = v.safeParse(ToListener, JSON.parse(String(data)));
    return result.success ? result.output : null;
  } catch {
    return null; // Of a Worker that is newer: what is not understood is passed over.
  }
}

/**
 * Why there is no control socket at all, in words; null when there should be one, and trying again soon may help. A
 * WebSocket does not tell the status of a refusal, so it is asked for without one: 426 is how a Worker answers that has it.
 */
function findMissing({ url, secret, pongInMs = PONG_IN_MS }: ControlOptions): Promise<string | null> {
  const address = new URL("internal/control", url);
  const { get } = address.protocol === "https:" ? https : http;
  return new Promise((resolve) => {
    const request = get(address, {
      agent: false,
      headers: { authorization: `Bearer ${secret}` },
      timeout: pongInMs,
    });
    request.on("timeout", () => request.destroy()); // told as an error
    request.on("error", () => resolve(null));
    request.on("response", ({ statusCode }) => {
      request.destroy();
      if (statusCode === 404 || statusCode === 405) resolve(`${statusCode}: the Worker has none`);
      else if (statusCode === 401 || statusCode === 403)
        resolve(`${statusCode}: INGEST_SECRET is not the Worker's`);
      else resolve(null);
    });
  });
}
