import { createParser } from "eventsource-parser";
import { CloseCode } from "../protocol/close-codes.ts";
import type { Connection, ConnectionHandlers, OnClosed, Parse } from "./connection.ts";
import { collectEvents } from "./sse-events.ts";
import { authorization, NO_CODE, refusal, words, type Token } from "./token.ts";

/**
 * Opens `/sse` at `address` over fetch, which unlike EventSource shows comments (the sign of life) and HTTP statuses, and
 * leaves reconnecting to the machine.
 *
 * @param sparse whether the address carries a filter or `fold`: see `collectEvents`.
 */
export function openSse(
  fetch: typeof globalThis.fetch,
  address: string,
  sparse: boolean,
  parse: Parse,
  handlers: ConnectionHandlers,
  token?: Token,
): Connection {
  const abort = new AbortController();
  let closed = false;
  const close = (): void => {
    closed = true;
    abort.abort();
  };
  const end = (...why: Parameters<OnClosed>): void => {
    if (closed) return;
    close();
    handlers.onClosed(...why);
  };

  const read = async (): Promise<void> => {
    const response = await fetch(address, {
      headers: { accept: "text/event-stream", ...(await authorization(token)) },
      cache: "no-store",
      signal: abort.signal,
    });
    if (!response.ok || !response.body || !isEventStream(response)) {
      return end(...(await refusal("event stream", response)));
    }
    const events = collectEvents(sparse, parse, (message, size) => {
      if (!closed) handlers.onMessage(message, size);
    });
    const parser = createParser({ onEvent: events.push });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (closed) return;
      if (done) return end(NO_CODE, "the server ended the stream");
      handlers.onHeard();
      try {
        parser.feed(value);
        events.flush();
      } catch {
        return end(CloseCode.BAD_FRAME, "an event from the server is not JSON"); // the rest cannot be trusted either
      }
    }
  };

  read().catch((error: unknown) => end(NO_CODE, `the stream failed: ${words(error)}`));
  return { send: () => undefined, close };
}

function isEventStream(response: Response): boolean {
  return response.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
}
