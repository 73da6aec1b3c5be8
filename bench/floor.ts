/**
 * `node bench/floor.ts [--clients 500]`: what the platform itself takes to tell many sockets. A Durable Object that does
 * nothing but send one text to each of its hibernating sockets, in workerd, told over HTTP: no Postgres, no listener, no log.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { startGuard } from "../dev/guard.ts";
import { startChild } from "./child.ts";
import { createClock } from "./clock.ts";
import type { Reply, Request } from "./crowd-clients.ts";
import { median } from "./tally.ts";

const { values: options } = parseArgs({ options: { clients: { type: "string", default: "500" } } });
const CLIENTS = Number(options.clients);
const TIMES = 120;
const ANSWER_MS = 30_000;

const OBJECT = `
import { DurableObject } from "cloudflare:workers";
export class Floor extends DurableObject {
  #seq = 0;
  fetch(request) {
    if (request.headers.get("Upgrade") === "websocket") {
      const { 0: theirs, 1: ours } = new WebSocketPair();
      this.ctx.acceptWebSocket(ours);
      ours.send(JSON.stringify({ type: "welcome", position: "e." + this.#seq }));
      return new Response(null, { status: 101, webSocket: theirs });
    }
    const from = "e." + this.#seq++;
    const changes = [{ seq: this.#seq, note: "x".repeat(400) }];
    const text = JSON.stringify({ type: "changes", from, position: "e." + this.#seq, changes });
    for (const socket of this.ctx.getWebSockets()) socket.send(text);
    return new Response();
  }
}
export default { fetch: (request, env) => env.FLOOR.getByName("floor").fetch(request) };`;

const folder = await mkdtemp(join(tmpdir(), "rowcast-floor-"));
const guard = startGuard();
const crowd = startChild<Request, Reply>("./crowd-clients.ts", guard);
const ask = (request: Request): Promise<Reply> => crowd.ask(request, ANSWER_MS);
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    name: "floor",
    rootPath: folder,
    host: "127.0.0.1",
    port: 0,
    cf: false,
    telemetry: { enabled: false },
    compatibilityDate: "2026-11-01",
    modules: [{ type: "ESModule", path: join(folder, "index.js"), contents: OBJECT }],
    durableObjects: { FLOOR: { className: "Floor", useSQLite: true } },
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  }),
);
try {
  await miniflare.ready;
  const url = await miniflare.unsafeGetDirectURL();
  const clock = createClock(performance.timeOrigin);
  for (const clients of [1, CLIENTS]) {
    const urls = Array.from({ length: clients }, () => url.href.replace(/^http/, "ws"));
    await ask({ kind: "connect", urls, atOnce: 100, origin: performance.timeOrigin });
    const times: Record<"middle" | "last", number[]> = { middle: [], last: [] };
    for (let n = 1; n <= TIMES; n += 1) {
      // In turn: the client in the middle, and the last one.
      const [which, whom] =
        n % 2 === 0 ? (["last", clients] as const) : (["middle", Math.ceil(clients / 2)] as const);
      const arrived = ask({ kind: "await", changes: (n - 1) * clients + whom });
      const startedAt = clock();
      await fetch(url).then((response) => response.arrayBuffer());
      const { lastMs } = await arrived;
      if (n > TIMES / 4) times[which].push(lastMs - startedAt);
      await sleep(50);
    }
    await ask({ kind: "close" });
    console.log(
      `${String(clients).padStart(5)} sockets: the one in the middle after ${median(times.middle).toFixed(1)} ms, the last after ${median(times.last).toFixed(1)} ms`,
    );
  }
} finally {
  crowd.kill();
  await miniflare.dispose();
  guard.release();
  await rm(folder, { recursive: true, force: true });
}
