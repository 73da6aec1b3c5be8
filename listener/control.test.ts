import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { pino } from "pino";
import { afterEach, expect, it, vi } from "vitest";
import { WebSocketServer, type WebSocket as ServerSocket } from "ws";
import type { ToListener } from "../protocol/control.ts";
import { createBackoff } from "./backoff.ts";
import { holdControl, type Control } from "./control.ts";
import { createReport } from "./report.ts";

const cleanups: (() => void)[] = [];
afterEach(() => cleanups.splice(0).forEach((clean) => clean()));

interface Worker {
  readonly http: Server;
  readonly sockets: WebSocketServer;
  /** The next socket that comes. */
  accept(): Promise<ServerSocket>;
}

async function startWorker(status = 426): Promise<Worker> {
  const http = createServer((_, response) => void response.writeHead(status).end());
  const sockets = new WebSocketServer({ noServer: true });
  if (status === 426) {
    http.on("upgrade", (request, socket, head) =>
      sockets.handleUpgrade(request, socket, head, (ws) => sockets.emit("connection", ws, request)),
    );
  }
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  cleanups.push(() => {
    for (const client of sockets.clients) client.terminate();
    http.closeAllConnections();
    http.close();
  });
  const accept = async () => (await once(sockets, "connection"))[0] as ServerSocket;
  return { http, sockets, accept };
}

function hold(worker: Worker): {
  control: Control;
  heard: (ToListener | "lost" | "missing")[];
  lines: string[];
} {
  const stop = new AbortController();
  cleanups.push(() => stop.abort(new Error("the test is over")));
  const heard: (ToListener | "lost" | "missing")[] = [];
  const lines: string[] = [];
  const log = pino({ level: "debug", base: null }, { write: (line: string) => void lines.push(line) });
  const control = holdControl({
    url: `http://127.0.0.1:${(worker.http.address() as AddressInfo).port}/`,
    secret: "the-secret",
    state: "live",
    report: createReport(log, () => performance.now()),
    backoff: createBackoff(() => 0.01),
    onMessage: (message) => heard.push(message),
    onLost: () => heard.push("lost"),
    onMissing: () => heard.push("missing"),
    signal: stop.signal,
    pingEveryMs: 30,
    pongInMs: 60,
  });
  return { control, heard, lines };
}

const nextText = async (socket: ServerSocket) => String((await once(socket, "message"))[0]);

it("shows the secret, says how it is, then what changes, and hears who watches", async () => {
  const worker = await startWorker();
  const asked = once(worker.http, "upgrade");
  const { control, heard } = hold(worker);
  const socket = await worker.accept();
  const [request] = (await asked) as [{ url: string; headers: Record<string, string> }];
  expect([request.url, request.headers["authorization"]]).toEqual(["/internal/control", "Bearer the-secret"]);
  expect(await nextText(socket)).toBe('{"type":"state","state":"live"}');
  control.say("asleep");
  expect(await nextText(socket)).toBe('{"type":"state","state":"asleep"}');
  for (const text of ["nonsense", '{"type":"newer"}', '{"type":"watchers","clients":-1}']) socket.send(text);
  socket.send('{"type":"watchers","clients":2}');
  socket.send('{"type":"wake","reason":"something newer"}');
  await vi.waitFor(() => expect(heard).toHaveLength(2));
  expect(heard).toEqual([
    { type: "watchers", clients: 2 },
    { type: "wake", reason: "something newer" },
  ]);
});

it("comes back when it is closed, cut or refused, and says how it is again", async () => {
  const worker = await startWorker();
  const { control, heard } = hold(worker);
  const first = await worker.accept();
  control.say("asleep");
  let next = worker.accept();
  first.close(1012);
  const second = await next;
  expect(await nextText(second)).toBe('{"type":"state","state":"asleep"}');
  next = worker.accept();
  second.terminate();
  await next;
  expect(heard).toEqual(["lost", "lost"]);
});

it("gives up a socket on which no pong comes, and opens another", async () => {
  const worker = await startWorker();
  const { heard, lines } = hold(worker);
  const dead = await worker.accept();
  dead.pause(); // half-open: nothing is read, nothing answered
  await worker.accept();
  expect(heard).toEqual(["lost"]);
  expect(lines.join()).toContain("no answer in 60 ms");
});

it("keeps a socket whose pings are answered", async () => {
  const worker = await startWorker();
  const { heard } = hold(worker);
  const socket = await worker.accept();
  for (let pings = 0; pings < 5;) {
    if ((await nextText(socket)) !== "ping") continue;
    pings += 1;
    socket.send("pong");
  }
  expect(heard).toEqual([]);
});

it.each([
  [404, "the Worker has none"],
  [401, "INGEST_SECRET is not the Worker's"],
])("says once why there is none when the Worker answers %i, and goes on trying", async (status, words) => {
  const worker = await startWorker(status);
  let asked = 0;
  worker.http.on("request", () => asked++);
  const { lines, heard } = hold(worker);
  await vi.waitFor(() => expect(asked).toBeGreaterThan(2), { timeout: 5000 });
  const told = lines.filter((line) => line.includes("no control socket"));
  expect(told).toHaveLength(1);
  expect(told[0]).toContain(words);
  expect(heard).toEqual(["missing"]);
});
