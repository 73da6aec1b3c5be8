/**
 * The process that watches: plain sockets that do what the SDK does to every frame (check that it continues the last,
 * acknowledge each quarter of the window) and count every change.
 */
import { WebSocket } from "ws";
import { isAckDue, NOTHING } from "../client/intake.ts";
import { serveParent } from "./child.ts";
import { createClock } from "./clock.ts";
import { createParser, type Frame, type Reading } from "./frames.ts";
import type { Speech } from "./stage.ts";
import { Histogram, Seen } from "./tally.ts";

export type Request =
  /** Opens `count` sockets. */
  | { kind: "connect"; url: string; count: number; speaks: Speech; run: number; origin: number }
  /** Waits until every socket has every change of the run or `timeoutMs` is over, closes them, and tells. */
  | { kind: "finish"; commits: number[]; timeoutMs: number };

export interface Reply {
  delivered: number;
  /** Not there when the time was over. */
  missing: number;
  doubled: number;
  /** Frames that did not begin where the one before had ended. */
  gaps: number;
  frames: number;
  lastArrivalMs: number;
  p50: number;
  p99: number;
}

/** Engine.IO 4 and Socket.IO 5, as much of it as a client needs: its own client costs more than what is measured. */
const EVENT = Buffer.from('42["change",');
const [OPEN, PING] = ["0".charCodeAt(0), "2".charCodeAt(0)];

class Run {
  readonly histogram = new Histogram();
  readonly sockets: WebSocket[] = [];
  readonly #clock: () => number;
  readonly #run: number;
  readonly #parse = createParser();
  delivered = 0;
  doubled = 0;
  gaps = 0;
  frames = 0;
  lastArrivalMs = 0;
  /** Called with each delivery once it is known how many there are to be. */
  onDelivery: () => void = () => undefined;

  constructor(origin: number, run: number) {
    this.#clock = createClock(origin);
    this.#run = run;
  }

  /** Resolves when the server will send this socket every change from now on. */
  open(url: string, speaks: Speech): Promise<void> {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    this.sockets.push(socket);
    const seen = new Seen();
    let position = "";
    let window = { bytes: Infinity, changes: Infinity };
    let taken = NOTHING;
    return new Promise((resolve, reject) => {
      socket.on("error", reject);
      if (speaks === "json") socket.once("open", () => resolve());
      socket.once("close", (code) => reject(new Error(`a socket was closed with ${code}`)));
      socket.on("message", (bytes: Buffer) => {
        const nowMs = this.#clock();
        if (speaks === "socket.io" && !bytes.subarray(0, EVENT.length).equals(EVENT)) {
          if (bytes[0] === OPEN) socket.send("40");
          else if (bytes[0] === PING) socket.send("3");
          else resolve(); // the answer to 40: connected
          return;
        }
        const frame: Frame = this.#parse(speaks === "socket.io" ? bytes.subarray(EVENT.length, -1) : bytes);
        if (frame.type === "change" && frame.data !== undefined) {
          this.frames += 1;
          this.#take(frame.data, seen, nowMs);
        } else if (frame.type === "changes" && frame.changes !== undefined) {
          this.frames += 1;
          if (frame.from !== position) this.gaps += 1;
          position = frame.position ?? "";
          taken = { bytes: taken.bytes + bytes.length, changes: taken.changes + frame.changes.length };
          if (isAckDue(taken, window)) {
            taken = NOTHING;
            socket.send(JSON.stringify({ type: "ack", position }));
          }
          for (const { data } of frame.changes) this.#take(data, seen, nowMs);
        } else if (frame.type === "welcome") {
          position = frame.position ?? "";
          window = frame.window ?? window;
          resolve();
        }
      });
    });
  }

  #take({ run, writer, n, sent_ms }: Reading, seen: Seen, nowMs: number): void {
    if (run !== this.#run) return; // the end of a run before, which had been given up
    if (!seen.take(writer, n)) {
      this.doubled += 1;
      return;
    }
    this.delivered += 1;
    this.lastArrivalMs = nowMs;
    this.histogram.add(nowMs - sent_ms);
    this.onDelivery();
  }
}

let run: Run | null = null;

serveParent(async (request: Request): Promise<Reply | null> => {
  if (request.kind === "connect") {
    const { url, count, speaks, origin } = request;
    const started = new Run(origin, request.run);
    run = started;
    await Promise.all(Array.from({ length: count }, () => started.open(url, speaks)));
    return null;
  }
  const ended = run;
  if (ended === null) throw new Error("nothing was begun");
  run = null;
  const expected = request.commits.reduce((sum, commits) => sum + commits, 0) * ended.sockets.length;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, request.timeoutMs);
    const check = (): void => {
      if (ended.delivered < expected) return;
      clearTimeout(timer);
      setTimeout(resolve, 200); // what comes twice would come now
    };
    ended.onDelivery = check;
    check();
  });
  for (const socket of ended.sockets) socket.terminate();
  const { histogram, delivered, doubled, gaps, frames, lastArrivalMs } = ended;
  return {
    delivered,
    missing: expected - delivered,
    doubled,
    gaps,
    frames,
    lastArrivalMs,
    p50: histogram.percentile(0.5),
    p99: histogram.percentile(0.99),
  };
});
