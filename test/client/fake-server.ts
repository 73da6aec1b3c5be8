/** For tests: a server whose answers are what the test wants them to be, and a collection that writes to it. */
import type { Change } from "../../protocol/change.ts";
import type { ClientEvents } from "../../client/api.ts";
import { liveCollection } from "../../client/collection.ts";
import { emitter, observable } from "../../client/observable.ts";
import type { LiveCollectionOptions } from "../../client/collection/api.ts";
import { change, type Item } from "../../client/collection/histories.ts";
import type { WriteStorage } from "../../client/collection/kept-writes.ts";
import { WriteRefused } from "../../client/collection/write.ts";

export const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A server of one table that answers when it is told to, and does each write once, by its id. */
export class Server {
  readonly rows = new Map<number, Item>();
  /** Rows that cannot be written for now. */
  readonly broken = new Set<number>();
  readonly stream: Change[] = [];
  /** Ids of the writes as they came in, repetitions too. */
  readonly asked: string[] = [];
  /** How many writes have been carried out or refused. */
  done = 0;
  readonly #answers = new Map<string, { data: Item; xid: string } | WriteRefused>();
  #xid = 100;
  #id = 10;
  /** What becomes of the next request: nothing arrives, or its answer is lost. */
  fate: "answered" | "lost" | "answer-lost" | "hangs" = "answered";

  get snapshot(): string {
    return `${this.#xid + 1}:${this.#xid + 1}:`;
  }

  async ask(id: string, run: () => Item | null, operation: Change["operation"]) {
    await Promise.resolve();
    if (this.fate === "hangs") return new Promise<never>(() => undefined);
    if (this.fate === "lost") throw new TypeError("fetch failed");
    this.asked.push(id);
    let answer = this.#answers.get(id);
    if (answer === undefined) {
      this.done += 1;
      const row = run();
      if (row === null) answer = new WriteRefused("there is no such row", { status: 404, code: "not_found" });
      else {
        const xid = ++this.#xid;
        answer = { data: row, xid: String(xid) };
        this.stream.push(change(xid, operation, row));
      }
      this.#answers.set(id, answer);
    }
    if (this.fate === "answer-lost") throw new TypeError("fetch failed");
    if (answer instanceof WriteRefused) throw answer;
    return answer;
  }

  create(v: number): Item {
    const row = { id: ++this.#id, v };
    this.rows.set(row.id, row);
    return row;
  }
  update(id: number, v: number): Item | null {
    if (!this.rows.has(id) || v === 13) return null;
    const row = { id, v };
    this.rows.set(id, row);
    return row;
  }
  remove(id: number): Item | null {
    const row = this.rows.get(id) ?? null;
    this.rows.delete(id);
    return row;
  }
}

export function open(
  server: Server,
  storage?: WriteStorage,
  options: Partial<LiveCollectionOptions<Item>> = {},
) {
  const events = emitter<ClientEvents>();
  const timers = new Set<{ readonly call: () => void; readonly at: number }>();
  let now = 0;
  const state = observable({ name: "live", transport: "websocket" } as const);
  const collection = liveCollection<Item>({
    client: { on: events.on, position: "e.0", state: state.value },
    table: "items",
    key: ({ id }) => id,
    load: () => Promise.resolve({ rows: [...server.rows.values()], snapshot: server.snapshot }),
    ...(storage && { storage }),
    ...options,
    write: {
      draft: (fields, n) => ({ v: 0, ...fields, id: -n }),
      create: ({ v = 0 }, id) => server.ask(id, () => server.create(v), "INSERT"),
      update: ({ id: key }, { v = 0 }, id) => {
        if (server.broken.has(key)) return Promise.reject(new Error("503"));
        return server.ask(id, () => server.update(key, v), "UPDATE");
      },
      remove: ({ id: key }, id) => server.ask(id, () => server.remove(key), "DELETE"),
    },
    env: {
      now: () => now,
      random: () => 0.5,
      setTimeout: (call, ms) => {
        const timer = { call, at: now + ms };
        timers.add(timer);
        return timer;
      },
      clearTimeout: (timer) => void timers.delete(timer as never),
    },
  });
  /** Lets so much time go by. */
  const pass = async (ms: number): Promise<void> => {
    now += ms;
    for (const timer of timers)
      if (timer.at <= now) {
        timers.delete(timer);
        timer.call();
      }
    await settled();
  };
  let told = 0;
  const deliver = (count = Infinity): void => {
    const changes = server.stream.slice(told, told + count);
    told += changes.length;
    events.emit("changes", { from: "e.0", position: "e.0", changes, transport: "websocket" });
  };
  const welcome = (): void => {
    const about = { clientId: "c", connectedClients: 1, listener: "live", protocol: 1 } as const;
    events.emit("welcome", { type: "welcome", position: "e.0", window: { bytes: 1, changes: 1 }, ...about });
  };
  const shown = () => [...collection.rows.get().values()].toSorted((a, b) => a.id - b.id);
  return { collection, deliver, welcome, shown, pass, reset: () => events.emit("reset", RESET) };
}

const RESET = { type: "reset", reason: "expired", position: "e.9" } as const;

export function serverWith(...rows: Item[]): Server {
  const server = new Server();
  for (const row of rows) server.rows.set(row.id, row);
  return server;
}
