/** The client: runs the machine's effects, and turns them into what an application subscribes to. */
import type { Change } from "../protocol/change.ts";
import { CloseCode, TOKEN_EXPIRED } from "../protocol/close-codes.ts";
import { addToFilter, takeFromFilter, toFilter } from "../protocol/filter.ts";
import { parsePosition } from "../protocol/position.ts";
import { streamAddress, ticketAddress, withTicket } from "./address.ts";
import type { Client, ClientEvents, ClientOptions, ServerStatus } from "./api.ts";
import { ageOf, betterSample } from "./clock.ts";
import type { ClockSample } from "./clock.ts";
import type { Connection, ConnectionHandlers, OnClosed } from "./connection.ts";
import { defaultEnv } from "./env.ts";
import type { Env } from "./env.ts";
import { start, step } from "./machine.ts";
import { emitter, observable } from "./observable.ts";
import { watchPage } from "./page.ts";
import { sameState, showState } from "./public-state.ts";
import type { ConnectionState } from "./public-state.ts";
import { rememberSeen } from "./seen.ts";
import { openSse } from "./sse.ts";
import { openWithTicket } from "./token.ts";
import { wakeAt } from "./states.ts";
import type { Effect, Event, Notice, Transport } from "./states.ts";
import { openWebSocket, probeWebSocket } from "./websocket.ts";

/**
 * Opens a stream of changes and keeps it open until `close`.
 *
 * @throws {TypeError} when `url` is no http address, `since` no position, or no transport is left to use.
 */
export function createClient(options: ClientOptions): Client {
  const { url, since = null, fold = false, parse = JSON.parse, token } = options;
  const env: Env = { ...defaultEnv(), ...options.env };
  // Called bare, not as methods: browsers refuse timers with another `this`.
  const { now, random, setTimeout, clearTimeout } = env;
  const transports = (options.transports ?? ["websocket", "sse"]).filter(
    // Node 20 has fetch but no WebSocket.
    (transport) => transport === "sse" || typeof env.WebSocket === "function",
  );
  if (transports.length === 0) throw new TypeError("no transport is left: this runtime has no WebSocket");
  if (since !== null && !parsePosition(since)) throw new TypeError(`not a position: ${since}`);

  let filter = toFilter(options.filter ?? {});
  streamAddress(url, "sse", since, filter); // throws here rather than later
  const events = emitter<ClientEvents>();
  const status = observable<ServerStatus | null>(null);
  const latency = observable<number | null>(null);
  const seen = rememberSeen();
  let clock: ClockSample | null = null;

  const world = () => ({ now: now(), random });
  let [state, effects] = start(transports, since, world());
  const shown = observable<ConnectionState>(showState(state));

  let connection: Connection | null = null;
  let endProbe: (() => void) | null = null;
  let alarm: { at: number; timer: unknown } | null = null;
  /** Events raised by listeners while a step runs wait their turn. */
  const queue: Event[] = [];
  let running = false;
  let closed = false;

  const dispatch = (event: Event): void => {
    if (closed && event.type !== "stop") return;
    queue.push(event);
    if (running) return;
    running = true;
    for (let next = queue.shift(); next; next = queue.shift()) {
      [state, effects] = step(state, next, world());
      settle();
    }
    running = false;
  };
  const settle = (): void => {
    for (const effect of effects) run(effect);
    const next = showState(state);
    if (!sameState(next, shown.value.get())) shown.set(next);
    setAlarm();
  };

  /** One timer for all deadlines; it is left alone when they only move back, for a tick too early does nothing. */
  const setAlarm = (): void => {
    const at = wakeAt(state);
    if (alarm && at !== null && alarm.at <= at) return;
    if (alarm) clearTimeout(alarm.timer);
    alarm = null;
    if (at === null) return;
    const ring = (): void => {
      alarm = null;
      dispatch({ type: "tick" });
    };
    alarm = { at, timer: setTimeout(ring, Math.max(0, at - now())) };
  };

  const run = (effect: Effect): void => {
    switch (effect.type) {
      case "open":
        connection = open(effect.connection, effect.transport, effect.since);
        return;
      case "close":
        connection?.close();
        connection = null;
        return;
      case "send":
        connection?.send(effect.text);
        return;
      case "probe": {
        const done = (opened: boolean): void =>
          dispatch({ type: "probed", connection: effect.connection, opened });
        const address = streamAddress(url, "websocket", null, filter);
        endProbe = probeWebSocket((handlers) => openSocket(address, handlers), done);
        return;
      }
      case "end-probe":
        endProbe?.();
        endProbe = null;
        return;
      case "deliver":
        measure(effect.changes.at(-1));
        events.emit("changes", effect);
        for (const { xid } of effect.changes) seen.add(xid);
        return;
      case "gap":
        events.emit("gap", effect);
        return;
      case "notice":
        onNotice(effect.message);
    }
  };

  const open = (id: number, transport: Transport, from: string | null): Connection => {
    const address = streamAddress(url, transport, from, filter, fold);
    const onClosed: OnClosed = (code, reason, afterMs = 0) => {
      // Who cannot get another token has no reason to come back.
      const final = code === CloseCode.TOKEN_EXPIRED && typeof token !== "function";
      dispatch({ type: "closed", connection: id, code: final ? CloseCode.FORBIDDEN : code, reason, afterMs });
    };
    const handlers: ConnectionHandlers = {
      onMessage: (message, size) => {
        // The close that follows may be long on its way, and over SSE it says nothing.
        if (message.type === "error" && message.code === TOKEN_EXPIRED)
          onClosed(CloseCode.TOKEN_EXPIRED, message.message);
        else dispatch({ type: "message", connection: id, message, size });
      },
      onPong: (position) => dispatch({ type: "pong", connection: id, position }),
      onHeard: () => dispatch({ type: "heard", connection: id }),
      onClosed,
    };
    // A token may be pinned: then not every number comes.
    const sparse = filter !== null || fold || token !== undefined;
    return transport === "websocket"
      ? openSocket(address, handlers)
      : openSse(env.fetch, address, sparse, parse, handlers, token);
  };

  const openSocket = (address: string, handlers: ConnectionHandlers): Connection => {
    const at = (address: string) => openWebSocket(env.WebSocket, address, parse, handlers);
    if (token === undefined) return at(address);
    const enter = (ticket: string) => at(withTicket(address, ticket));
    return openWithTicket(env.fetch, ticketAddress(url), token, enter, handlers.onClosed);
  };

  const measure = (newest: Change | undefined): void => {
    if (newest !== undefined) latency.set(ageOf(newest.timestamp, now(), clock));
  };

  const onNotice = (message: Notice): void => {
    if (message.type === "welcome" || message.type === "status") {
      const { connectedClients, listener } = message;
      const lagMs = message.type === "status" ? message.lagMs : (status.value.get()?.lagMs ?? null);
      status.set({ connectedClients, listener, lagMs });
    }
    events.emit(message.type, message);
    if (message.type === "reset") seen.settle();
  };

  const stopWatching = watchPage((type) => dispatch({ type }));
  settle();

  return {
    state: shown.value,
    status: status.value,
    latency: latency.value,
    clock: (sample) => {
      clock = betterSample(clock, sample);
    },
    get position() {
      return state.position;
    },
    on: events.on,
    subscribe: (input) => {
      const more = toFilter(input);
      if (more === null) return;
      filter = addToFilter(filter, more);
      dispatch({ type: "refilter", frame: JSON.stringify({ type: "subscribe", ...input }) });
    },
    unsubscribe: (input = {}) => {
      const less = toFilter(input);
      filter = less === null ? null : takeFromFilter(filter, less);
      dispatch({ type: "refilter", frame: JSON.stringify({ type: "unsubscribe", ...input }) });
    },
    seen: seen.wait,
    reconnect: () => dispatch({ type: "reconnect" }),
    close: () => {
      if (closed) return;
      closed = true;
      stopWatching();
      dispatch({ type: "stop", reason: "closed" });
      seen.close();
    },
  };
}
