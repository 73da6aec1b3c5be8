/**
 * `npm run test:flow`: what slow readers cost the others. 200 readers and 200 changes of 1 KB a second: first all of them
 * quick, then with one that never reads and one behind 1 kB/s among them, then with twenty that never read, which makes
 * what one costs in memory large enough to be measured. Method and figures: README.md here.
 */
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import pg from "pg";
import { WebSocket } from "ws";
import { createClient, liveCollection, type LiveCollection } from "../../client/index.ts";
import { memoryOf, workerdProcesses } from "../support/stack-memory.ts";
import { layGround, type Ground } from "./ground.ts";
import { openLink, type Link } from "./link.ts";

const { values: options } = parseArgs({
  options: { seconds: { type: "string", default: "60" }, readers: { type: "string", default: "200" } },
});
const READERS = Number(options.readers);
const PHASE_MS = Number(options.seconds) * 1000;
const RATE = 200;
const ROWS = 50;
const ROW_CHARS = 700; // 1 KB a change with its key, its times and its former values
const SLOW_BYTES = 1000;
const NEVER_READERS = 20;
const MEMORY_A_READER = 2_000_000;
/** A window at 1 kB/s, and what is folded behind it. */
const SLOW_ENDS_WITHIN_MS = 900_000;

interface Reader {
  stop(): void;
}

/** A quick reader: acknowledges a quarter of the window, as the SDK does, and notes how old the newest change of a frame is. */
async function quickReader(url: string, latencies: number[]): Promise<Reader> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws`);
  let taken = 0;
  socket.on("message", (data: Buffer) => {
    const now = performance.timeOrigin + performance.now();
    if (data.indexOf('{"type":"changes"') !== 0) return;
    const at = data.indexOf('"n":', data.lastIndexOf('"data":')) + '"n":'.length;
    latencies.push(now - Number.parseFloat(data.toString("latin1", at, at + 20)));
    taken += data.length;
    if (taken < 65_536) return;
    taken = 0;
    const position = /"position":"([^"]+)"/.exec(data.toString("latin1", 0, 200))?.[1];
    socket.send(JSON.stringify({ type: "ack", position }));
  });
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  return { stop: () => socket.terminate() };
}

/** Opens a WebSocket by hand and reads nothing, not even the answer. */
async function neverReader(url: string): Promise<Reader> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.pause();
  socket.on("error", () => undefined); // the server may give it up
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.write(
    `GET /ws HTTP/1.1\r\nHost: ${hostname}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  return { stop: () => socket.destroy() };
}

interface Row {
  id: number;
  n: number;
}

/** A live collection behind 1 kB/s, which allows folding. */
function slowReader(link: Link): { collection: LiveCollection<Row>; stop(): void } {
  const client = createClient({
    url: `http://127.0.0.1:${link.port}`,
    fold: true,
    transports: ["websocket"],
  });
  const collection = liveCollection<Row>({
    client,
    table: "flow",
    key: ({ id }) => id,
    // It begins with nothing, before the first change; only the stream comes over the slow link.
    load: () => Promise.resolve({ rows: [], snapshot: "1:1:" }),
  });
  return {
    collection,
    stop() {
      collection.close();
      client.close();
    },
  };
}

/** Writes at an even pace for as long as told; `n` of each change is the moment it was sent. */
async function write(client: pg.Client, forMs: number): Promise<void> {
  const startedAt = performance.now();
  for (let i = 0; performance.now() - startedAt < forMs; i += 1) {
    const wait = startedAt + (i * 1000) / RATE - performance.now();
    if (wait > 0) await sleep(wait);
    const sent = performance.timeOrigin + performance.now();
    await client.query("UPDATE flow SET n = $2, body = $3 WHERE id = $1", [
      1 + (i % ROWS),
      sent,
      String(i).padEnd(ROW_CHARS, "x"),
    ]);
  }
}

async function phase(writer: pg.Client, latencies: number[]): Promise<{ p50: number; p99: number }> {
  latencies.length = 0;
  await write(writer, PHASE_MS);
  const sorted = Float64Array.from(latencies).toSorted();
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

/** The least of some looks: what is not yet collected comes and goes. */
async function workerdMemory(): Promise<number> {
  const pids = await workerdProcesses();
  let least = Number.POSITIVE_INFINITY;
  for (let look = 0; look < 20; look += 1) {
    least = Math.min(least, await memoryOf(pids));
    await sleep(250);
  }
  return least;
}

async function untilEqual(writer: pg.Client, collection: LiveCollection<Row>): Promise<number> {
  const startedAt = performance.now();
  const { rows } = await writer.query<{ id: number; n: string }>("SELECT id, n::text FROM flow");
  const isEqual = (): boolean =>
    rows.every(({ id, n }) => Number(collection.rows.get().get(id)?.n) === Number(n));
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error("the slow reader never arrived")), SLOW_ENDS_WITHIN_MS);
    const look = (): void => {
      if (!isEqual()) return;
      clearTimeout(late);
      off();
      resolve();
    };
    const off = collection.rows.subscribe(look);
    look();
  });
  return performance.now() - startedAt;
}

async function measure(ground: Ground): Promise<boolean> {
  const writer = new pg.Client({ connectionString: ground.cluster.url });
  await writer.connect();
  await writer.query(
    `CREATE TABLE flow (id int PRIMARY KEY, body text NOT NULL DEFAULT '', n double precision NOT NULL DEFAULT 0)`,
  );
  await writer.query("SELECT rowcast.watch('flow')");
  const latencies: number[] = [];
  const readers: Reader[] = [];
  for (let i = 0; i < READERS - 2; i += 1) readers.push(await quickReader(ground.url, latencies));
  const link = await openLink(ground.worker.port);
  const slow = slowReader(link);
  await new Promise<void>((resolve) => {
    const off = slow.collection.state.subscribe((state) => {
      if (state !== "ready") return;
      off();
      resolve();
    });
    if (slow.collection.state.get() === "ready") resolve();
  });
  await writer.query("INSERT INTO flow (id) SELECT generate_series(1, $1::int)", [ROWS]);
  await write(writer, 5000); // warm

  const alone = await phase(writer, latencies);
  link.throttle(SLOW_BYTES);
  readers.push(await neverReader(ground.url));
  const beside = await phase(writer, latencies);
  const again = await phase(writer, latencies);
  const before = await workerdMemory();
  for (let i = 0; i < NEVER_READERS; i += 1) readers.push(await neverReader(ground.url));
  await phase(writer, latencies);
  const grown = (await workerdMemory()) - before;
  const arrivedMs = await untilEqual(writer, slow.collection);

  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  const ratio = Math.min(beside.p99, again.p99) / alone.p99;
  const results: [string, string, boolean][] = [
    ["quick readers alone, p50 / p99", `${ms(alone.p50)} / ${ms(alone.p99)}`, true],
    ["beside the slow ones, p50 / p99", `${ms(beside.p50)} / ${ms(beside.p99)}`, true],
    ["once more", `${ms(again.p50)} / ${ms(again.p99)}`, true],
    ["p99 beside them to p99 alone (at most 1.2)", ratio.toFixed(2), ratio <= 1.2],
    [
      "workerd, for each that never reads (at most 2 MB)",
      `${(grown / NEVER_READERS / 1e6).toFixed(2)} MB`,
      grown / NEVER_READERS <= MEMORY_A_READER,
    ],
    ["the 1 kB/s reader has the right rows after the last write", `${(arrivedMs / 1000).toFixed(0)} s`, true],
  ];
  for (const [what, value, kept] of results) console.log(`${kept ? " " : "!"} ${what.padEnd(60)} ${value}`);
  for (const reader of readers) reader.stop();
  slow.stop();
  link.close();
  await writer.end();
  return results.every(([, , kept]) => kept);
}

const ground = await layGround();
let kept = false;
try {
  kept = await measure(ground);
} finally {
  await ground.stop();
}
process.exit(kept ? 0 : 1);
