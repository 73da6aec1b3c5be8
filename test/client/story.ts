import { start, step } from "../../client/machine.ts";
import { wakeAt } from "../../client/states.ts";
import type { Effect, Event, Incoming, State, Transport } from "../../client/states.ts";

export const BOTH: readonly Transport[] = ["websocket", "sse"];
export const WINDOW = { bytes: 1000, changes: 8 };
/** What `random` draws. */
export const HALF = 0.5;

/** A machine on a clock of its own: what a test does to it reads as a story. */
export class Story {
  now = 0;
  random = HALF;
  state: State;
  /** Of the last step. */
  effects: readonly Effect[];
  /** Every step since the log was last emptied. */
  log: (Effect | Event)[] = [];

  constructor({
    transports = BOTH,
    since = null,
  }: { transports?: readonly Transport[]; since?: string | null } = {}) {
    [this.state, this.effects] = start(transports, since, this.#world());
    this.log.push(...this.effects);
  }

  #world() {
    return { now: this.now, random: () => this.random };
  }
  event(event: Event): this {
    [this.state, this.effects] = step(this.state, event, this.#world());
    this.log.push(event, ...this.effects);
    return this;
  }
  after(ms: number): this {
    this.now += ms;
    return this;
  }
  tick(): this {
    return this.event({ type: "tick" });
  }
  /** Lets the time of the next deadline come. */
  due(): this {
    this.now = wakeAt(this.state) ?? this.now;
    return this.tick();
  }
  message(message: Incoming, size = 10): this {
    return this.event({ type: "message", connection: this.state.connection, message, size });
  }
  welcome(position = "e.0"): this {
    const about = {
      clientId: "c",
      connectedClients: 1,
      listener: "live",
      window: WINDOW,
      protocol: 1,
    } as const;
    return this.message({ type: "welcome", position, ...about });
  }
  status(): this {
    return this.message({ type: "status", connectedClients: 1, listener: "live", lagMs: 1 });
  }
  live(position = "e.0"): this {
    return this.welcome(position).status();
  }
  changes(from: string | null, position: string, size = 10): this {
    return this.message({ type: "changes", from, position, changes: [] }, size);
  }
  pong(position: string): this {
    return this.event({ type: "pong", connection: this.state.connection, position });
  }
  closed(code = 1006, afterMs = 0): this {
    return this.event({ type: "closed", connection: this.state.connection, code, reason: "gone", afterMs });
  }
  /** Two sockets in a row that do not open. */
  onSse(): this {
    return this.closed().due().closed().due().live();
  }
  types(): string[] {
    return this.effects.map((effect) => effect.type);
  }
}
