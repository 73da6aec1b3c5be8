import { CloseCode } from "../protocol/close-codes.ts";
import { parsePong } from "../protocol/frames.ts";
import { fromLean } from "../protocol/lean.ts";
import type { Connection, ConnectionHandlers, Parse } from "./connection.ts";
import type { Incoming } from "./states.ts";

/** Platforms say nothing more about a socket that could not be opened or was cut. */
const NOT_CLEAN = 1006;

/** Opens `/ws` at `address` (ws or wss) and reads its frames. What is no frame of the protocol ends the connection. */
export function openWebSocket(
  WebSocket: typeof globalThis.WebSocket,
  address: string,
  parse: Parse,
  handlers: ConnectionHandlers,
): Connection {
  let socket: WebSocket | null = null;
  let opened = false;

  /** Forgets the socket first: what it says while it closes is of no interest. */
  const close = (): void => {
    const closing = socket;
    socket = null;
    closing?.close();
  };
  const end = (code: number, reason: string): void => {
    close();
    handlers.onClosed(code, reason);
  };
  const receive = (text: unknown): void => {
    if (typeof text !== "string") return;
    const position = parsePong(text);
    if (position !== null) return handlers.onPong(position);
    let message: Incoming;
    try {
      message = parse(text) as Incoming;
      if (message.type === "changes") message = { ...message, changes: fromLean(message.changes) };
    } catch {
      return end(CloseCode.BAD_FRAME, "a frame from the server is not one"); // the rest cannot be trusted either
    }
    handlers.onMessage(message, text.length);
  };

  try {
    const mine = new WebSocket(address);
    socket = mine;
    mine.addEventListener("open", () => void (opened = true));
    mine.addEventListener("message", ({ data }) => {
      if (socket === mine) receive(data);
    });
    mine.addEventListener("close", ({ code, reason }) => {
      if (socket !== mine) return;
      const words = opened ? "the connection was lost" : "the WebSocket did not open";
      end(code, reason === "" ? (code === NOT_CLEAN ? words : `${words} (${code})`) : reason);
    });
    // Some implementations throw for an `error` event without a listener; `close` follows and carries what is known.
    mine.addEventListener("error", () => undefined);
  } catch (error) {
    // A page over https may not open ws: the constructor throws.
    queueMicrotask(() => handlers.onClosed(NOT_CLEAN, `the WebSocket did not open: ${String(error)}`));
  }

  return {
    send: (text) => {
      if (socket?.readyState === WebSocket.OPEN) socket.send(text);
    },
    close,
  };
}

/**
 * Opens a WebSocket only to see whether the server speaks over it: there are proxies that let it open and then swallow
 * every frame. `open` opens it. Calls `done` once; returns the function that gives up, after which it is not called.
 */
export function probeWebSocket(
  open: (handlers: ConnectionHandlers) => Connection,
  done: (opened: boolean) => void,
): () => void {
  const finish = (opened: boolean): void => {
    connection.close();
    done(opened);
  };
  const ignore = (): void => undefined;
  const connection = open({
    onMessage: () => finish(true),
    onPong: ignore,
    onHeard: ignore,
    onClosed: () => finish(false),
  });
  return connection.close;
}
