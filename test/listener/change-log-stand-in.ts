/**
 * A stand-in for the ChangeLog, for faults that the real one cannot be told to have: a server that holds to the contract
 * of protocol/ingest.ts (compare-and-set on the cursor, state in every answer) and fails on demand. It keeps nothing but
 * memory. That the listener and the real ChangeLog understand each other is for the tests of the whole stack.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import * as v from "valibot";
import { AppendRequest, type LogState, type OutboxChange } from "../../protocol/ingest.ts";

export const SECRET = "the-secret-of-these-tests";

/** What happens to one POST: an answer without doing it, no answer, no answer though it was done, or waiting for `release`. */
export type Fault = 413 | 503 | "cut" | "answer lost" | "held";

export interface ChangeLogStandIn {
  readonly url: string;
  /** Every change stored, in the order in which they were. */
  readonly changes: OutboxChange[];
  /** Why each epoch after the first began. */
  readonly restarts: string[];
  /** Every POST in the words of its outcome; newest last. */
  readonly outcomes: (Fault | "stored" | "heartbeat" | "conflict")[];
  /** The texts of the POSTs that were stored. */
  readonly bodies: string[];
  state: LogState;
  /** The next POSTs go wrong so, in this order. */
  fail(...faults: Fault[]): void;
  /** Go on with the POSTs that are held. */
  release(): void;
  /** Resolves as soon as `holds()`; it is looked at after every POST. */
  until(holds: () => boolean): Promise<void>;
  close(): Promise<void>;
}

export async function startChangeLog(): Promise<ChangeLogStandIn> {
  const faults: Fault[] = [];
  const waiting = new Set<() => void>();
  const held: (() => void)[] = [];
  const look = (): void => waiting.forEach((check) => check());
  const server = createServer((request, response) => {
    void handle(request, response).finally(look);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  const log: ChangeLogStandIn = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    changes: [],
    restarts: [],
    outcomes: [],
    bodies: [],
    state: { source: null, cursor: null, last: null, position: "e0.0" },
    release: () => held.splice(0).forEach((resume) => resume()),
    fail: (...next) => void faults.push(...next),
    until: (holds) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!holds()) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    if (request.url !== "/internal/changes") return answer(response, 404, {}); // a Worker of before the control socket
    if (request.headers.authorization !== `Bearer ${SECRET}`) return answer(response, 401, {});
    if (request.method === "GET") return answer(response, 200, log.state);
    const fault = faults.shift();
    if (fault !== undefined) log.outcomes.push(fault);
    if (typeof fault === "number") return answer(response, fault, { detail: "as the test wants it" });
    if (fault === "cut") return void response.destroy();
    if (fault === "held") {
      look();
      await new Promise<void>((resolve) => held.push(resolve));
    }
    const stored = append(v.parse(AppendRequest, JSON.parse(body)), body);
    if (fault === "answer lost") return void response.destroy();
    answer(response, stored ? 200 : 409, log.state);
  }

  function append({ source, from, to, changes, restart }: AppendRequest, body: string): boolean {
    const { state } = log;
    if (from !== state.cursor || (source !== state.source && from !== null && restart === undefined)) {
      log.outcomes.push("conflict");
      return false;
    }
    log.outcomes.push(from === to ? "heartbeat" : "stored");
    if (from === to) return true;
    if (restart !== undefined) log.restarts.push(restart);
    for (const change of changes) log.changes.push(change);
    log.bodies.push(body);
    const last = pick(changes.at(-1)) ?? (restart === undefined ? state.last : null);
    const position = `e${log.restarts.length}.${log.changes.length}`;
    log.state = { source, cursor: to, last, position };
    return true;
  }

  return log;
}

function pick(change: OutboxChange | undefined): LogState["last"] {
  return change ? { id: change.id, xid: change.xid, timestamp: change.timestamp } : null;
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
