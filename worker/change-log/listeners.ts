/**
 * The listeners as the log knows them: when one was last heard, which of them sleep, and that they are woken when somebody
 * begins to watch or has written. When nobody is heard for long, the log reads the outbox itself.
 */
import type { ListenerState } from "../../protocol/control.ts";
import type { ListenerStatus } from "../../protocol/messages.ts";
import { acceptControl, controlStates, hearControl, stateOf, tellControls } from "./controls.ts";
import { allAsleep, fallbackAt, listenerStatus, type Heard } from "./listener-watch.ts";

/** When a listener was last heard is kept this coarsely: each time is a row written. */
const HEARD_GRAIN_MS = 20_000;

interface Options {
  /** With clients watching and nobody heard for this long, listeners count as gone. */
  readonly fallbackAfterMs: number;
  /** How many clients watch. */
  readonly clients: () => number;
}

export class Listeners {
  readonly #ctx: DurableObjectState;
  readonly #options: Options;
  /** ms since 1970; 0 while all of them sleep. */
  #heardAt: number;
  #heardKept = 0;
  /** The same for who asks: kept while all of them sleep, 0 when not known. */
  #lastHeardAt: number;
  #heardEver: boolean;
  #calledAt = 0;
  #wroteAt = -1;
  /** As they were last told. */
  #watched: boolean;

  constructor(ctx: DurableObjectState, options: Options) {
    this.#ctx = ctx;
    this.#options = options;
    // A log that has just woken gives the listener the whole time again before it takes it for gone.
    const heard = ctx.storage.kv.get<number>("heardAt");
    this.#heardAt = allAsleep(controlStates(ctx)) ? 0 : (heard ?? Date.now());
    this.#lastHeardAt = heard ?? 0;
    this.#heardEver = heard !== undefined;
    this.#watched = options.clients() > 0;
  }

  get status(): ListenerStatus {
    return listenerStatus(this.#known(), Date.now());
  }

  /** When the log is to look for itself, ms since 1970. */
  get fallbackAt(): number {
    return fallbackAt(this.#known());
  }

  /** ms since 1970; 0 for never. */
  get lastHeardAt(): number {
    return this.#lastHeardAt;
  }

  /** What those with a control socket say of themselves. */
  get states(): ListenerState[] {
    return controlStates(this.#ctx);
  }

  /** A listener that may sleep. */
  accept(): Response {
    return acceptControl(this.#ctx, this.#options.clients());
  }

  /**
   * What came over a control socket.
   *
   * @returns null when nothing has changed; otherwise whether all of them sleep from now on.
   */
  hear(socket: WebSocket, data: string | ArrayBuffer): { readonly fellAsleep: boolean } | null {
    const before = stateOf(socket);
    const state = hearControl(socket, data);
    if (state === null || state === before) return null;
    if (before === "asleep") this.#calledAt = Date.now(); // by itself, or by us: now it has the time
    if (state !== "asleep" || !this.#areAsleep) return { fellAsleep: false };
    // A write that came between its last look and its falling asleep rang nobody.
    const missed = this.#wroteAt >= this.#heardAt;
    [this.#heardAt, this.#wroteAt] = [0, -1];
    if (missed) this.#call();
    return { fellAsleep: true };
  }

  /** A control socket has been closed. */
  left(socket: WebSocket): void {
    if (stateOf(socket) === "asleep") this.#calledAt = Date.now(); // it is most likely back in a moment
  }

  /** A listener has delivered, or asked. Returns whether nobody was taken for alive before. */
  heard(): boolean {
    const now = Date.now();
    const before = this.status;
    this.#heardAt = now;
    this.#lastHeardAt = now;
    this.#heardEver = true;
    if (this.#options.clients() > 0 && now - this.#heardKept > HEARD_GRAIN_MS) {
      this.#ctx.storage.kv.put("heardAt", now);
      this.#heardKept = now;
    }
    return before !== "live";
  }

  /** The API has written: whoever sleeps is woken. */
  wrote(): void {
    this.#wroteAt = Date.now();
    if (this.#areAsleep) this.#call();
  }

  /** Tells them when the first client has come or the last has gone. */
  tellWatchers(): void {
    const clients = this.#options.clients();
    if (clients > 0 === this.#watched) return;
    this.#watched = clients > 0;
    if (this.#watched && this.#areAsleep) this.#calledAt = Date.now();
    tellControls(this.#ctx, { type: "watchers", clients });
  }

  get #areAsleep(): boolean {
    return allAsleep(this.states);
  }

  /** With clients watching their time runs already, and is not made longer. */
  #call(): void {
    if (this.#options.clients() === 0) this.#calledAt = Date.now();
    tellControls(this.#ctx, { type: "wake", reason: "write" });
  }

  #known(): Heard {
    return {
      heardAt: this.#heardAt,
      heardEver: this.#heardEver,
      calledAt: this.#calledAt,
      states: this.states,
      watched: this.#options.clients() > 0,
      fallbackAfterMs: this.#options.fallbackAfterMs,
    };
  }
}
