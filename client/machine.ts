/**
 * The life of a connection as a pure function: (state, event, world) -> [state, effects]. The table below has a cell for
 * every event in every state, which TypeScript checks.
 *
 *     connecting ── welcome ──► catching-up ── status ──► live        closed, silent, gap: ──► waiting ── time ──► connecting
 *
 * WebSocket comes first. When it fails to open, or dies young, twice in a row, SSE carries the stream while a WebSocket is
 * tried beside it now and then; only one that speaks takes over, from the position that SSE has reached.
 */
import { CloseCode, isFatalClose } from "../protocol/close-codes.ts";
import { PING } from "../protocol/frames.ts";
import { PROTOCOL_VERSION } from "../protocol/version.ts";
import { backoffMs, BACKOFF_MAX_MS } from "./backoff.ts";
import { isAhead, NOTHING, takeIn } from "./intake.ts";
import { TIMING } from "./states.ts";
import type {
  Connecting,
  Effect,
  Event,
  Notice,
  State,
  Step,
  Streaming,
  Transport,
  World,
} from "./states.ts";

type Cell<S extends State["name"], E extends Event["type"]> = (
  state: Extract<State, { name: S }>,
  event: Extract<Event, { type: E }>,
  world: World,
) => Step;
type Table = { readonly [S in State["name"]]: { readonly [E in Event["type"]]: Cell<S, E> } };

/** The first state and what to do in it. `transports` must not be empty; `position` null means from now on. */
export function start(transports: readonly Transport[], position: string | null, world: World): Step {
  const [transport = "websocket"] = transports;
  const common = { transports, transport, connection: 0, position, attempt: 0, failures: 0, clients: 0 };
  return open({ ...common, probeMs: TIMING.probe, name: "stopped", reason: "", code: 0 }, world);
}

/** One step. What a connection that is no longer ours still says is not heard. */
export function step(state: State, event: Event, world: World): Step {
  if ("connection" in event && event.connection !== state.connection) return [state, []];
  const cell = TABLE[state.name][event.type] as Cell<State["name"], Event["type"]>;
  return cell(state, event, world);
}

const stay = (state: State): Step => [state, []];
const stop = (state: State, event: { readonly reason: string; readonly code?: number }): Step => [
  { ...common(state), name: "stopped", reason: event.reason, code: event.code ?? 0 },
  leave(state),
];
/** Leaves what there is, if anything, and opens anew at once. */
function reopen(state: State, _event: unknown, world: World): Step {
  const [next, effects] = open(state, world);
  return [next, [...leave(state), ...effects]];
}
const goOffline = (state: State, _event: unknown, world: World): Step => [
  { ...common(state), name: "offline", retryAt: world.now + TIMING.offline },
  leave(state),
];
const retryWhenDue = (state: Extract<State, { retryAt: number }>, _event: unknown, world: World): Step =>
  world.now < state.retryAt ? stay(state) : open(state, world);

/** Made by a call that bundlers may leave out, where the machine is not used: they take a spread for an effect. */
const TABLE: Table = /* @__PURE__ */ makeTable();

function makeTable(): Table {
  const streaming = {
    message: onMessage,
    pong: (state: Streaming, event: { readonly position: string }, world: World): Step => {
      if (!isAhead(event.position, state.position)) return [{ ...alive(state, world), suspect: false }, []];
      // What the pong counts may still be on its way (a filtered client is told within a second): judged by the next one.
      if (!state.suspect) return [{ ...alive(state, world), suspect: true }, []];
      return fail(state, "the stream is broken: the hub has sent what never arrived", world);
    },
    heard: (state: Streaming, _event: unknown, world: World): Step => [alive(state, world), []],
    closed: onClosed,
    probed: onProbed,
    tick: onTick,
    online: askForLife,
    offline: goOffline,
    visible: askForLife,
    refilter: (state: Streaming, event: { readonly frame: string }, world: World): Step =>
      state.transport === "websocket"
        ? [state, [{ type: "send", connection: state.connection, text: event.frame }]]
        : reopen(state, event, world),
    reconnect: reopen,
    stop,
  };

  /** Nobody is there who could say anything. */
  const deaf = { message: stay, pong: stay, heard: stay, closed: stay, probed: stay };

  const resting = {
    ...deaf,
    tick: retryWhenDue,
    online: reopen,
    offline: goOffline,
    visible: reopen,
    refilter: stay,
    reconnect: reopen,
    stop,
  };

  return {
    connecting: {
      ...deaf,
      message: onFirstMessage,
      closed: onClosed,
      tick: (state, _event, world) =>
        world.now < state.openBy ? stay(state) : fail(state, "no answer within 10 s", world),
      online: stay,
      offline: goOffline,
      visible: stay,
      refilter: reopen,
      reconnect: reopen,
      stop,
    },
    "catching-up": streaming,
    live: streaming,
    waiting: resting,
    offline: { ...resting, offline: stay },
    stopped: { ...resting, tick: stay, online: stay, offline: stay, visible: stay, stop: stay },
  };
}

function open(state: State, world: World): Step {
  const connection = state.connection + 1;
  const { transport, position } = state;
  return [
    { ...common(state), connection, name: "connecting", openBy: world.now + TIMING.open },
    [{ type: "open", connection, transport, since: position }],
  ];
}

function leave(state: State): Effect[] {
  if (state.name === "connecting") return [{ type: "close", connection: state.connection }];
  if (state.name !== "catching-up" && state.name !== "live") return [];
  return [...(state.probing ? [END_PROBE] : []), { type: "close", connection: state.connection }];
}

const END_PROBE: Effect = { type: "end-probe" };

/** The connection has failed: choose the transport of the next, and the time. */
function fail(state: Connecting | Streaming, reason: string, world: World, code = 0, afterMs = 0): Step {
  const { now, random } = world;
  const opened = state.name !== "connecting";
  const young = !opened || now - state.openedAt < TIMING.young;
  const steady = state.name === "live" && now - state.liveAt >= TIMING.steady;
  const attempt = (steady ? 0 : state.attempt) + 1;
  const expired = code === CloseCode.TOKEN_EXPIRED;
  /** The server's own wish, which says nothing against the transport. */
  const wished = expired || code === CloseCode.COME_BACK;
  let { transport, failures, probeMs } = state;
  const [preferred = transport, other = preferred] = state.transports;
  if (transport === preferred) {
    if (!wished) failures = young ? failures + 1 : 0;
    if (!young) probeMs = TIMING.probe;
    if (failures >= 2) [transport, failures] = [other, 0];
  } else if (!opened && !wished) {
    // Neither opens, so the preferred one is not to blame.
    [transport, failures] = [preferred, 0];
  }
  const retryAt = (opened ? state.moveAt : null) ?? now + afterMs + pause();
  const next = { ...common(state), transport, failures, probeMs, attempt };
  return [{ ...next, name: "waiting", retryAt, reason }, leave(state)];

  function pause(): number {
    // Each return asks for a fresh token. When that one is refused as well, asking again has time.
    if (expired && attempt === 1) return 0;
    return code === CloseCode.TOO_MANY
      ? BACKOFF_MAX_MS * random()
      : backoffMs(attempt, random(), state.clients);
  }
}

function onClosed(
  state: Connecting | Streaming,
  event: Extract<Event, { type: "closed" }>,
  world: World,
): Step {
  if (isFatalClose(event.code)) return stop(state, event);
  return fail(state, event.reason, world, event.code, event.afterMs);
}

function onFirstMessage(state: Connecting, event: Extract<Event, { type: "message" }>, world: World): Step {
  const { message } = event;
  if (message.type === "error") return [state, [notice(message)]];
  if (message.type === "reset") return [{ ...state, position: message.position }, [notice(message)]];
  if (message.type !== "welcome") return stay(state);
  if (message.protocol !== PROTOCOL_VERSION) {
    const reason = `the server speaks protocol ${message.protocol}, this client ${PROTOCOL_VERSION}: update it`;
    return stop(state, { reason });
  }
  const { now } = world;
  const socket = state.transport === "websocket";
  const probes = !socket && state.transports[0] === "websocket";
  const next: Streaming = {
    ...common(state),
    name: "catching-up",
    position: state.position ?? message.position,
    openedAt: now,
    clients: message.connectedClients,
    window: message.window,
    taken: NOTHING,
    pingAt: socket ? now + TIMING.ping : null,
    deadAt: socket ? null : now + TIMING.quiet,
    suspect: false,
    moveAt: null,
    probeAt: probes ? now + state.probeMs : null,
    probing: false,
  };
  return [next, [notice(message)]];
}

function onMessage(before: Streaming, event: Extract<Event, { type: "message" }>, world: World): Step {
  const state = alive(before, world);
  const { message } = event;
  switch (message.type) {
    case "changes": {
      const intake = takeIn(state, message, event.size);
      if (intake.kind === "taken") return [intake.state, intake.effects];
      if (intake.kind === "known") return stay(state);
      const { expected, got } = intake;
      const [next, effects] = fail(state, `a gap: expected ${expected}, got ${got}`, world);
      return [next, [{ type: "gap", expected, got }, ...effects]];
    }
    case "reset":
      return [{ ...state, position: message.position, taken: NOTHING, suspect: false }, [notice(message)]];
    case "status": {
      const { connectedClients: clients } = message;
      const live: Streaming =
        state.name === "live"
          ? { ...state, clients }
          : { ...state, clients, name: "live", liveAt: world.now };
      return [live, [notice(message)]];
    }
    case "reconnect":
      return [{ ...state, moveAt: world.now + world.random() * message.after }, []];
    case "welcome":
    case "subscribed":
    case "error":
      return [state, [notice(message)]];
    default:
      // A newer server may say more than this client knows.
      return stay(state);
  }
}

function onTick(state: Streaming, event: Event, world: World): Step {
  const { now } = world;
  const due = (at: number | null): boolean => at !== null && at <= now;
  if (due(state.deadAt)) return fail(state, "nothing heard from the server", world);
  if (due(state.moveAt)) return reopen(state, event, world);
  if (due(state.pingAt)) return askForLife(state, event, world);
  if (!due(state.probeAt)) return stay(state);
  if (state.probing) {
    const [next, effects] = onProbed(state, { opened: false }, world);
    return [next, [END_PROBE, ...effects]];
  }
  const probing: Streaming = { ...state, probing: true, probeAt: now + TIMING.open };
  return [probing, [{ type: "probe", connection: state.connection }]];
}

function onProbed(state: Streaming, event: { readonly opened: boolean }, world: World): Step {
  if (!state.probing) return stay(state);
  // Doubled in both cases: a WebSocket that opens and soon dies again shall not make us flap every minute.
  const probeMs = Math.min(TIMING.probeMax, state.probeMs * 2);
  const next: Streaming = { ...state, probeMs, probing: false, probeAt: world.now + probeMs };
  return event.opened ? reopen({ ...next, transport: "websocket" }, event, world) : stay(next);
}

/** A ping out of turn: whoever comes back to a page wants to know now. Over SSE only the server speaks. */
function askForLife(state: Streaming, _event: unknown, world: World): Step {
  if (state.transport === "sse") return stay(state);
  const { now } = world;
  return [
    { ...state, pingAt: now + TIMING.ping, deadAt: state.deadAt ?? now + TIMING.pong },
    [{ type: "send", connection: state.connection, text: PING }],
  ];
}

function alive(state: Streaming, world: World): Streaming {
  return { ...state, deadAt: state.transport === "sse" ? world.now + TIMING.quiet : null };
}

function notice(message: Notice): Effect {
  return { type: "notice", message };
}

/** What outlives a state. */
function common(state: State) {
  const { transports, transport, connection, position, attempt, failures, probeMs, clients } = state;
  return { transports, transport, connection, position, attempt, failures, probeMs, clients };
}
