/**
 * Server-Sent Events, as a thin stream in the Worker: it is a WebSocket client of the Hub, so that an open response never
 * keeps an object awake, and it acknowledges what the reader has taken, so that flow control reaches through.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
import { eventName, type Change } from "../../protocol/change.ts";
import { PING } from "../../protocol/frames.ts";
import type { ServerMessage, Window } from "../../protocol/messages.ts";
import { parsePosition } from "../../protocol/position.ts";
import { SEPARATOR } from "../change-log/history.ts";

/** A comment this often: the Worker learns of a reader that left only when it writes, and proxies cut what is silent. */
const COMMENT_MS = 15_000;
/** After about this long a browser's EventSource comes back. */
const RETRY_MS = 3_000;

export const SSE_HEADERS = {
  "Content-Type": "text/event-stream; charset=utf-8",
  // Compressed events would wait in the encoder for more: workerd#7390, hono#3449.
  "Cache-Control": "no-cache, no-transform",
  "Content-Encoding": "identity",
  "X-Accel-Buffering": "no",
} as const;

/**
 * @param socket the client's end of a WebSocket to a Hub, not yet accepted.
 * @param signal aborts when the reader is gone, where the platform says so.
 * @returns the response's body. Errors of the Hub end it; the reader comes back with its last event's id.
 */
export function sseStream(socket: WebSocket, signal: AbortSignal): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  // EventSource waits for exactly as long as it is told: drawn for each, so that they do not come back all at once.
  const waiting: string[] = [`retry: ${Math.round(RETRY_MS * (0.5 + Math.random()))}\n\n`];
  let wake: (() => void) | null = null;
  let ended = false;
  let window: Window = { bytes: Number.POSITIVE_INFINITY, changes: Number.POSITIVE_INFINITY };
  let taken = { bytes: 0, changes: 0 };
  let answered = true;

  const offer = (text: string): void => {
    waiting.push(text);
    wake?.();
  };
  const end = (): void => {
    if (ended) return;
    ended = true;
    clearInterval(timer);
    socket.close(1000, "reader gone");
    wake?.();
  };
  const timer = setInterval(() => {
    // A Hub that does not even answer a ping is not there any more: let the reader come back to another.
    if (!answered) return end();
    answered = false;
    socket.send(PING);
    offer(": keep\n\n");
  }, COMMENT_MS);

  socket.addEventListener("message", ({ data }) => {
    if (typeof data !== "string") return;
    answered = true;
    if (data.startsWith("{")) offer(data);
  });
  socket.addEventListener("close", end);
  socket.addEventListener("error", end);
  signal.addEventListener("abort", end);
  socket.accept();

  /** Acknowledged when the reader has taken it, not when it came. */
  const acknowledge = (bytes: number, changes: number, position: string): void => {
    taken = { bytes: taken.bytes + bytes, changes: taken.changes + changes };
    if (taken.bytes < window.bytes / 4 && taken.changes < window.changes / 4) return;
    taken = { bytes: 0, changes: 0 };
    if (!ended) socket.send(JSON.stringify({ type: "ack", position }));
  };

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        while (waiting.length === 0 && !ended) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        const text = waiting.shift();
        if (text === undefined) {
          controller.close();
          return;
        }
        if (!text.startsWith("{")) {
          controller.enqueue(encoder.encode(text));
          return;
        }
        const message = JSON.parse(text) as ServerMessage;
        if (message.type === "welcome") window = message.window;
        controller.enqueue(encoder.encode(toEvents(message, text)));
        if (message.type === "changes") acknowledge(text.length, message.changes.length, message.position);
      },
      cancel: end,
    },
    { highWaterMark: 1 },
  );
}

/**
 * A frame as events: each change its own, with its position as id; what the frame covers beyond its last change (or with
 * none at all), because a filter held it back, moves the position; an error is a `problem`, because `error` is the name of EventSource's own event.
 *
 * @param text the frame as it came: changes are passed on in the digits in which they were written.
 */
export function toEvents(message: ServerMessage, text: string): string {
  switch (message.type) {
    case "changes":
      return changeEvents(message.changes, text, message.position);
    case "welcome":
      return event("welcome", text, message.position);
    case "reset":
      return event("reset", text, message.position);
    case "error":
      return event("problem", text);
    case "status":
    case "subscribed":
    case "reconnect":
      return event(message.type, text);
  }
}

function changeEvents(changes: readonly Change[], text: string, position: string): string {
  const epoch = parsePosition(position)?.epoch ?? "";
  const start = text.indexOf('"changes":[') + '"changes":['.length;
  const texts = text.slice(start, -2).split(SEPARATOR);
  const events = changes.map((change, index) =>
    event(eventName(change), texts[index] ?? "", `${epoch}.${change.seq}`),
  );
  // The Hub takes the frame's position for told and says no more of it.
  if (`${epoch}.${changes.at(-1)?.seq}` !== position)
    events.push(event("position", JSON.stringify({ position }), position));
  return events.join("");
}

/** @param data one line: JSON as it is written here holds no line feeds. */
function event(name: string, data: string, id?: string): string {
  return `event: ${name}\n${id === undefined ? "" : `id: ${id}\n`}data: ${data}\n\n`;
}
