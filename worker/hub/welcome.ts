/** The first frames of a client: `welcome`, and `reset` where it cannot go on from where it was. */
import type { ResetReason, ServerMessage } from "../../protocol/messages.ts";
import { formatPosition, type Position } from "../../protocol/position.ts";
import { PROTOCOL_VERSION } from "../../protocol/version.ts";
import type { LogStatus } from "../change-log/status.ts";
import type { Attachment } from "./attachment.ts";
import { Client } from "./client.ts";
import { behindAt, liveAt, WINDOW } from "./flow.ts";

/** As it asked to be, and who it is. */
export type Wish = Pick<Attachment, "bearer" | "filter" | "fold" | "lean">;

/**
 * Makes a socket a client and greets it. The next it is sent is what it lacks, up to `position`.
 *
 * @param since where it says that it is; null for one that begins now.
 * @param position where this Hub is, which is as far as the log.
 */
export function welcome(
  socket: WebSocket,
  wish: Wish,
  since: Position | null,
  position: Position,
  { connectedClients, listener }: LogStatus,
): Client {
  const reason = since === null ? null : unreachable(position, since);
  const start = since === null || reason !== null ? position : since;
  const flow = start.seq === position.seq ? liveAt(start.seq) : behindAt(start.seq);
  const client = new Client(socket, { ...wish, id: crypto.randomUUID(), flow, connectedAt: Date.now() });
  client.save();
  send(client, {
    type: "welcome",
    clientId: client.id,
    position: formatPosition(since ?? position),
    connectedClients,
    listener,
    window: WINDOW,
    protocol: PROTOCOL_VERSION,
  });
  if (reason !== null) send(client, { type: "reset", reason, position: formatPosition(position) });
  return client;
}

/** A message to one client. */
export function send(client: Client, message: ServerMessage): void {
  client.send(JSON.stringify(message));
}

/** Why a Hub at `position` cannot continue a client at `since`. */
function unreachable(position: Position, since: Position): ResetReason | null {
  if (position.epoch !== since.epoch) return "epoch";
  return since.seq > position.seq ? "future" : null;
}
