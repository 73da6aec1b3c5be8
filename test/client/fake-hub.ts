/** A hub small enough to be read: the wire of `/ws` and `/sse` over a list of changes, with faults on demand. */
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import { eventName } from "../../protocol/change.ts";
import type { Change } from "../../protocol/change.ts";
import { parsePosition } from "../../protocol/position.ts";

type Message = { readonly type: string } & Readonly<Record<string, unknown>>;

/** A client as the hub sees it. */
export interface Reader {
  readonly transport: "websocket" | "sse";
  readonly query: URLSearchParams;
  send(message: Message): void;
  /** Text as it is: a bad frame, a pong. */
  raw(text: string): void;
  /** Cut, without a word. */
  cut(): void;
  end(code: number, reason: string): void;
}

export interface FakeHub {
  readonly url: string;
  /** Those who are there now. */
  readonly readers: ReadonlySet<Reader>;
  /** What clients have sent over WebSocket. */
  readonly received: readonly string[];
  /** Resolves with the next reader that has been welcomed. */
  nextReader(): Promise<Reader>;
  /** Resolves with the next text that a client sends. */
  nextReceived(): Promise<string>;
  /** Numbers changes, keeps them, and sends them as one frame. */
  append(...changes: Partial<Change>[]): void;
  /** Keeps them but sends nothing: the fault that a gap check is for. */
  lose(...changes: Partial<Change>[]): void;
  /** Whether upgrades are refused, as some proxies do. */
  refuseWebSocket: boolean;
  /** The status and problem with which `/sse` is refused; null: it is not. */
  refuseSse: {
    readonly status: number;
    readonly detail: string;
    readonly headers?: Record<string, string>;
  } | null;
  close(): Promise<void>;
}

const EPOCH = "e";
const WINDOW = { bytes: 1000, changes: 100 };

/** Starts one on a free port of this machine. */
export async function startFakeHub(): Promise<FakeHub> {
  const log: Change[] = [];
  const readers = new Set<Reader>();
  const received: string[] = [];
  const waitingForReader: ((reader: Reader) => void)[] = [];
  const waitingForText: ((text: string) => void)[] = [];
  const at = (seq: number): string => `${EPOCH}.${seq}`;

  const keep = (changes: readonly Partial<Change>[]): Change[] => {
    const kept = changes.map((change, index) => fill(change, log.length + index + 1));
    log.push(...kept);
    return kept;
  };
  const welcome = (reader: Reader): void => {
    const since = reader.query.get("since");
    const seq = since === null ? log.length : (parsePosition(since)?.seq ?? 0);
    const about = { clientId: "c", connectedClients: readers.size + 1, listener: "live", protocol: 1 };
    reader.send({ type: "welcome", position: at(seq), window: WINDOW, ...about });
    const missed = log.slice(seq);
    if (missed.length > 0) {
      reader.send({ type: "changes", from: at(seq), position: at(log.length), changes: missed });
    }
    reader.send({ type: "status", connectedClients: readers.size + 1, listener: "live", lagMs: 2 });
    readers.add(reader);
    waitingForReader.shift()?.(reader);
  };

  const server = createServer((request, response) => {
    const { refuseSse } = hub;
    if (refuseSse) {
      response.writeHead(refuseSse.status, {
        "content-type": "application/problem+json",
        ...refuseSse.headers,
      });
      response.end(JSON.stringify({ detail: refuseSse.detail }));
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    const reader = sseReader(response, queryOf(request));
    response.on("close", () => readers.delete(reader));
    welcome(reader);
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    if (hub.refuseWebSocket) {
      socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    sockets.handleUpgrade(request, socket, head, (ws) => {
      const reader = socketReader(ws, queryOf(request));
      ws.on("close", () => readers.delete(reader));
      ws.on("message", (data: Buffer) => {
        const text = data.toString();
        received.push(text);
        waitingForText.shift()?.(text);
        if (text === "ping") reader.raw(`pong ${at(log.length)}`);
      });
      welcome(reader);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;

  const hub: FakeHub = {
    url: `http://127.0.0.1:${port}`,
    readers,
    received,
    nextReader: () => new Promise((resolve) => waitingForReader.push(resolve)),
    nextReceived: () => new Promise((resolve) => waitingForText.push(resolve)),
    append: (...changes) => {
      const from = at(log.length);
      const kept = keep(changes);
      for (const reader of readers) {
        reader.send({ type: "changes", from, position: at(log.length), changes: kept });
      }
    },
    lose: (...changes) => void keep(changes),
    refuseWebSocket: false,
    refuseSse: null,
    close: async () => {
      for (const reader of readers) reader.cut();
      sockets.close();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
  return hub;
}

function fill(change: Partial<Change>, seq: number): Change {
  const id = change.data?.id ?? seq;
  return {
    seq,
    xid: String(700 + seq),
    table: "orders",
    operation: "INSERT",
    key: { id },
    data: { id, status: "pending" },
    old: null,
    timestamp: "2026-11-20T10:00:00.123456Z",
    ...change,
  };
}

function queryOf(request: IncomingMessage): URLSearchParams {
  return new URL(request.url ?? "/", "http://hub").searchParams;
}

function socketReader(ws: WebSocket, query: URLSearchParams): Reader {
  return {
    transport: "websocket",
    query,
    send: (message) => ws.send(JSON.stringify(message)),
    raw: (text) => ws.send(text),
    cut: () => ws.terminate(),
    end: (code, reason) => ws.close(code, reason),
  };
}

function sseReader(response: ServerResponse, query: URLSearchParams): Reader {
  const event = (name: string, data: unknown, id?: string): void => {
    const idLine = id === undefined ? "" : `id: ${id}\n`;
    response.write(`event: ${name}\n${idLine}data: ${JSON.stringify(data)}\n\n`);
  };
  return {
    transport: "sse",
    query,
    send: (message) => {
      if (message.type !== "changes")
        return event(message.type === "error" ? "problem" : message.type, message);
      for (const change of message.changes as Change[])
        event(eventName(change), change, `${EPOCH}.${change.seq}`);
    },
    raw: (text) => void response.write(text),
    cut: () => void response.destroy(),
    end: () => void response.end(),
  };
}
