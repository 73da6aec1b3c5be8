/** Driving the Worker from inside workerd: what the listener and a browser would send, and sockets whose frames can be awaited. */
import { exports } from "cloudflare:workers";
import type { Change } from "../../protocol/change.ts";
import type { LogState, OutboxChange } from "../../protocol/ingest.ts";
import type { MessageOf, ServerMessage } from "../../protocol/messages.ts";

export const SECRET = "test-ingest-secret-0123456789";

export function call(path: string, init?: RequestInit): Promise<Response> {
  return exports.default.fetch(new Request(`http://rowcast.test${path}`, init));
}

export function callInternal(
  path: string,
  init: { method?: string; body?: string } = {},
  secret = SECRET,
): Promise<Response> {
  return call(path, { ...init, headers: { Authorization: `Bearer ${secret}` } });
}

let nextId = 1;

/** An outbox row as `rowcast.read` would give it. */
export function outboxChange(change: Partial<OutboxChange> = {}): OutboxChange {
  const id = nextId++;
  return {
    id: String(id),
    xid: String(1000 + id),
    table: "orders",
    operation: "INSERT",
    key: { id },
    data: { id, customer_name: "Ada", status: "pending" },
    old: null,
    timestamp: "2026-11-20T12:00:00.000001Z",
    ...change,
  };
}

/** A listener's memory: where the log stood last. */
export class FakeListener {
  cursor: string | null = null;
  #step = 0;

  async start(): Promise<LogState> {
    const state = await (await callInternal("/internal/changes")).json<LogState>();
    this.cursor = state.cursor;
    if (this.cursor === null) await this.post([], { to: "1:1:" });
    return state;
  }

  /** Delivers and insists on success. */
  async deliver(...changes: OutboxChange[]): Promise<LogState> {
    const response = await this.post(changes);
    if (response.status !== 200)
      throw new Error(`ingest answered ${response.status}: ${await response.text()}`);
    return response.json<LogState>();
  }

  async post(
    changes: OutboxChange[],
    options: { from?: string | null; to?: string; source?: string; restart?: string } = {},
  ): Promise<Response> {
    const to = options.to ?? `${crypto.randomUUID().slice(0, 8)}:${++this.#step}`;
    const body = { source: "test-source", from: this.cursor, to, changes, ...options };
    const response = await callInternal("/internal/changes", { method: "POST", body: JSON.stringify(body) });
    if (response.ok) this.cursor = to;
    return response;
  }
}

/** A WebSocket client that only does what a test says: it sends no acks and no pings by itself. */
export class TestSocket {
  readonly frames: (ServerMessage | string)[] = [];
  closed: { code: number; reason: string } | null = null;
  readonly #socket: WebSocket;
  #waiting: (() => void)[] = [];
  #read = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const text = String(data);
      this.frames.push(text.startsWith("{") ? (JSON.parse(text) as ServerMessage) : text);
      this.#wakeAll();
    });
    socket.addEventListener("close", ({ code, reason }) => {
      this.closed = { code, reason };
      this.#wakeAll();
    });
    socket.accept();
  }

  static async open(search = ""): Promise<TestSocket> {
    const response = await call(`/ws${search}`, { headers: { Upgrade: "websocket" } });
    if (!response.webSocket) throw new Error(`no socket: ${response.status} ${await response.text()}`);
    return new TestSocket(response.webSocket);
  }

  send(message: unknown): void {
    this.#socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  close(code = 1000): void {
    this.#socket.close(code, "done");
  }

  /** The next frame that was not read yet and is of this type; others before it are skipped. */
  async next<T extends ServerMessage["type"]>(type: T): Promise<MessageOf<T>> {
    for (;;) {
      while (this.#read < this.frames.length) {
        const frame = this.frames[this.#read++];
        if (typeof frame === "object" && frame.type === type) return frame as MessageOf<T>;
      }
      await this.#change();
    }
  }

  async nextText(): Promise<string> {
    for (;;) {
      while (this.#read < this.frames.length) {
        const frame = this.frames[this.#read++];
        if (typeof frame === "string") return frame;
      }
      await this.#change();
    }
  }

  /** Frames until `count` changes have come. */
  async changes(count: number): Promise<Change[]> {
    const changes: Change[] = [];
    while (changes.length < count) changes.push(...(await this.next("changes")).changes);
    return changes;
  }

  async whenClosed(): Promise<{ code: number; reason: string }> {
    while (this.closed === null) await this.#change();
    return this.closed;
  }

  #change(): Promise<void> {
    if (this.closed !== null && this.#read === this.frames.length) {
      throw new Error(`the socket closed with ${this.closed.code} ${this.closed.reason}`);
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wakeAll(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
