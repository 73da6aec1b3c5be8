/**
 * The control sockets of the listeners: which are there, what each says of itself, and what all of them are told. They
 * hibernate; what is known of one is in its attachment. Plain functions over them, so that nothing is kept twice.
 */
import { CONTROL_PONG, FromListener, type ListenerState, type ToListener } from "../../protocol/control.ts";
import { PING } from "../../protocol/frames.ts";
import * as v from "valibot";

/** No other sockets come to the log today; the tag keeps it so that they could. */
const TAG = "control";

/** Takes a listener's socket in. `pong` is the platform's: an open socket never wakes the log. */
export function acceptControl(ctx: DurableObjectState, clients: number): Response {
  const { 0: theirs, 1: ours } = new WebSocketPair();
  ctx.acceptWebSocket(ours, [TAG]);
  ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, CONTROL_PONG));
  send(ours, { type: "watchers", clients });
  return new Response(null, { status: 101, webSocket: theirs });
}

/** What a listener says of itself, now kept with its socket; null when it says nothing of the kind. */
export function hearControl(socket: WebSocket, data: string | ArrayBuffer): ListenerState | null {
  const message = parse(data);
  if (message === null) return null;
  socket.serializeAttachment(message.state);
  return message.state;
}

/** What every listener with a control socket says of itself; one that has just come says nothing yet. */
export function controlStates(ctx: DurableObjectState): ListenerState[] {
  return ctx
    .getWebSockets(TAG)
    .filter(({ readyState }) => readyState === WebSocket.OPEN)
    .map((socket) => stateOf(socket))
    .filter((state) => state !== null);
}

/** What a listener said last. */
export function stateOf(socket: WebSocket): ListenerState | null {
  return socket.deserializeAttachment() as ListenerState | null;
}

export function tellControls(ctx: DurableObjectState, message: ToListener): void {
  for (const socket of ctx.getWebSockets(TAG)) send(socket, message);
}

function send(socket: WebSocket, message: ToListener): void {
  try {
    socket.send(JSON.stringify(message));
  } catch {
    // It is closing: the listener comes back and is told then.
  }
}

function parse(data: string | ArrayBuffer): FromListener | null {
  if (typeof data !== "string") return null;
  try {
    const result = v.safeParse(FromListener, JSON.parse(data));
    return result.success ? result.output : null;
  } catch {
    return null; // of a listener that is newer
  }
}
