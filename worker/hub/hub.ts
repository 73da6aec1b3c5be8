/**
 * A Hub: the sockets of one region's shard and nothing else. It is pushed batches by the ChangeLog, pulls what it missed,
 * and sends to each client what its filter lets through, as fast as that client takes it in. It may lose its memory after
 * any ten idle seconds: sockets carry their own state, and the auto-response to `ping` carries the Hub's position.
 */
import { DurableObject } from "cloudflare:workers";
import { CloseCode } from "../../protocol/close-codes.ts";
import { filterFromSearch, type Filter } from "../../protocol/filter.ts";
import {
  changesFrame,
  formatPong,
  parsePong,
  PING,
  type ResetReason,
  type ServerMessage,
} from "../../protocol/messages.ts";
import { formatPosition, parsePosition, type Position } from "../../protocol/position.ts";
import { PROTOCOL_VERSION } from "../../protocol/version.ts";
import type { HubReport } from "../change-log/fan-out.ts";
import { cut, type Batch } from "../change-log/history.ts";
import type { LogStatus } from "../change-log/status.ts";
import type { Env } from "../env.ts";
import { logEvent } from "../log.ts";
import { changeLog } from "../objects.ts";
import { Client, wake } from "./client.ts";
import {
  acknowledged,
  behindAt,
  caughtUp,
  fellBehind,
  frameSent,
  liveAt,
  passedOver,
  WINDOW,
} from "./flow.ts";
import { readMessage } from "./inbox.ts";
import { Ring } from "./ring.ts";
import { Selector } from "./selection.ts";

const RING_CHARS = 4_000_000;
/** How much is read from the log at once for a client or a Hub that is behind. */
const READ_CHARS = 262_144;
/** A filtered client that was passed over is told the position this much later, in an empty frame. */
const ADVANCE_MS = 1000;
/** Counts of clients go to the ChangeLog this much after a change. */
const REPORT_MS = 200;
/** With clients here, the Hub checks in this often: a lost registration is mended, dead sockets are closed. */
const CHECK_IN_MS = 60_000;
/** A client that pings (every 25 s) and then is silent for this long is dead. */
const DEAD_AFTER_MS = 90_000;

export class Hub extends DurableObject<Env> {
  readonly #clients = new Map<WebSocket, Client>();
  readonly #ring = new Ring(RING_CHARS);
  #position: Position | null;
  #joined: boolean;
  /** Null after waking, until the log has been heard. */
  #status: LogStatus | null = null;
  /** Clients on their way in, for whom the log is being asked where it stands. */
  #joining = 0;
  /** A push came while the first client was on its way in: what it brought must be pulled. */
  #missed = false;
  #pull: Promise<void> | null = null;
  #advanceTimer: ReturnType<typeof setTimeout> | null = null;
  #reportTimer: ReturnType<typeof setTimeout> | null = null;
  #lastReportAt = 0;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const pong = ctx.getWebSocketAutoResponse()?.response;
    this.#position = parsePosition(parsePong(pong ?? "") ?? "");
    for (const socket of ctx.getWebSockets()) {
      const client = this.#position === null ? null : wake(socket, this.#position.seq);
      if (client === null) socket.close(CloseCode.COME_BACK, "come back with your position");
      else this.#clients.set(socket, client);
    }
    this.#joined = this.#clients.size > 0;
  }

  /** A WebSocket upgrade from the Worker, which has checked `since` and the filter. */
  override async fetch(request: Request): Promise<Response> {
    const { searchParams } = new URL(request.url);
    const filter = filterFromSearch(searchParams);
    const since = parsePosition(searchParams.get("since") ?? "");
    const position = await this.#arrive(since);
    const { 0: theirs, 1: ours } = new WebSocketPair();
    this.ctx.acceptWebSocket(ours);
    this.#welcome(ours, filter, since, position);
    await this.#keepWatch();
    return new Response(null, { status: 101, webSocket: theirs });
  }

  /** The ChangeLog has something new. What does not continue here is pulled instead. */
  async push(batch: Batch, status: LogStatus): Promise<HubReport> {
    this.#status = status;
    const position = this.#position;
    if (this.#clients.size === 0 || position === null) {
      if (this.#joining > 0) this.#missed = true;
      else this.#joined = false;
      return this.#report();
    }
    if (batch.epoch !== position.epoch || batch.from > position.seq) await this.#pullAll();
    else this.#take(batch);
    return this.#report();
  }

  /** The numbers of the whole have changed. */
  tell(status: LogStatus): HubReport {
    this.#status = status;
    const text = this.#statusFrame();
    for (const client of this.#clients.values()) if (client.flow.mode === "live") client.send(text);
    return this.#report();
  }

  override webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): void {
    const client = this.#clients.get(socket);
    const position = this.#position;
    if (client === undefined || position === null) return;
    if (data === PING) {
      client.send(formatPong(formatPosition(position))); // only when the platform did not answer by itself
      return;
    }
    const result = readMessage(data, client.filter);
    switch (result.kind) {
      case "ack":
        if (result.position.epoch !== position.epoch) return; // from before a reset
        client.flow = acknowledged(client.flow, result.position.seq);
        if (client.flow.mode === "behind") void this.#serve(client);
        return;
      case "filter":
        client.filter = result.filter;
        this.#send(client, {
          type: "subscribed",
          filter: result.filter,
          position: formatPosition(this.#at(client.flow.sent)),
        });
        return;
      case "error":
        this.#send(client, { type: "error", code: result.code, message: result.message });
        return;
      case "too-large":
        socket.close(CloseCode.FRAME_TOO_LARGE, "frame too large");
    }
  }

  override webSocketClose(socket: WebSocket): void {
    this.#gone(socket);
  }

  override webSocketError(socket: WebSocket): void {
    this.#gone(socket); // a connection that broke; what it missed it fetches when it comes back
  }

  override async alarm(): Promise<void> {
    const now = Date.now();
    for (const [socket, client] of this.#clients) {
      const pinged = this.ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime();
      if (pinged !== undefined && now - Math.max(pinged, client.connectedAt) > DEAD_AFTER_MS) {
        socket.close(CloseCode.IDLE, "nothing heard from you");
        this.#gone(socket);
      }
    }
    if (this.#clients.size === 0) return;
    await this.ctx.storage.setAlarm(now + CHECK_IN_MS);
    const { position, status } = await this.#join();
    this.#status = status;
    if (this.#position !== null && !same(this.#position, position)) await this.#pullAll();
  }

  #welcome(socket: WebSocket, filter: Filter | null, since: Position | null, position: Position): void {
    const reason = since === null ? null : unreachable(position, since);
    const start = since === null || reason !== null ? position : since;
    const flow = start.seq === position.seq ? liveAt(start.seq) : behindAt(start.seq);
    const client = new Client(socket, crypto.randomUUID(), filter, flow, Date.now());
    client.save();
    this.#clients.set(socket, client);
    this.#reportSoon();
    this.#send(client, {
      type: "welcome",
      clientId: client.id,
      position: formatPosition(since ?? position),
      connectedClients: this.#known().connectedClients,
      listener: this.#known().listener,
      window: WINDOW,
      protocol: PROTOCOL_VERSION,
    });
    if (reason !== null) this.#send(client, { type: "reset", reason, position: formatPosition(position) });
    if (flow.mode === "live") client.send(this.#statusFrame());
    else void this.#serve(client);
  }

  /** Where this Hub is, once it is as far as a client at `since` may expect. */
  async #arrive(since: Position | null): Promise<Position> {
    this.#joining += 1;
    try {
      let position = await this.#present();
      if (since !== null && !reaches(position, since)) {
        // Ahead of this Hub, or of another epoch: perhaps the Hub is what is behind.
        await this.#pullAll();
        position = await this.#present();
      }
      return position;
    } finally {
      this.#joining -= 1;
    }
  }

  /** Where this Hub is; the first client makes it known to the ChangeLog and learns it from there. */
  async #present(): Promise<Position> {
    if (!this.#joined || this.#position === null || this.#status === null) {
      const { position, status } = await this.#join();
      this.#status = status;
      // While the answer was under way, others may have come in and pushes may have been taken.
      if (this.#position === null || this.#clients.size === 0) this.#moveTo(position);
      this.#joined = true;
      while (this.#missed) {
        this.#missed = false;
        await this.#pullAll();
      }
      return this.#position ?? position;
    }
    return this.#position;
  }

  #join(): Promise<{ position: Position; status: LogStatus }> {
    return changeLog(this.env).join(this.#name(), this.#report());
  }

  /** Takes a batch that begins at or before this position; what of it is known already is left out. */
  #take(batch: Batch): void {
    const position = this.#position;
    if (position === null || batch.to <= position.seq) return;
    const fresh = cut(batch, position.seq);
    this.#ring.add(fresh);
    this.#moveTo({ epoch: fresh.epoch, seq: fresh.to });
    const selector = new Selector(fresh);
    const frames = new Map<string, string>();
    for (const client of this.#clients.values()) {
      if (client.flow.mode === "behind") continue;
      if (client.hasRoom) this.#sendBatch(client, fresh, selector, frames);
      else client.flow = fellBehind(client.flow);
    }
  }

  /** @param frames frames already built from this batch: clients at the same place with the same filter share one. */
  #sendBatch(client: Client, batch: Batch, selector: Selector, frames = new Map<string, string>()): void {
    const { text, count } = selector.select(client.filter, client.filterKey);
    if (count === 0) {
      client.flow = passedOver(client.flow, batch.to);
      this.#advanceSoon();
      return;
    }
    const key = `${client.flow.framed} ${client.filterKey}`;
    let frame = frames.get(key);
    if (frame === undefined) {
      frame = changesFrame(
        formatPosition(this.#at(client.flow.framed)),
        formatPosition(this.#at(batch.to)),
        text,
      );
      frames.set(key, frame);
    }
    this.#sendFrame(client, frame, batch.to, count);
  }

  /** A socket that takes nothing any more is closing: it is forgotten at once, so that nothing waits for it. */
  #sendFrame(client: Client, frame: string, seq: number, count: number): void {
    if (client.send(frame)) client.flow = frameSent(client.flow, seq, frame.length, count);
    else this.#gone(client.socket);
  }

  /** Serves a client that is behind, from the ring or the log, until it has everything or its window is full. */
  async #serve(client: Client): Promise<void> {
    if (client.serving) return;
    client.serving = true;
    try {
      while (client.flow.mode === "behind" && client.hasRoom && this.#clients.get(client.socket) === client) {
        const position = this.#position;
        if (position === null) return;
        if (client.flow.sent === position.seq) {
          client.flow = caughtUp(client.flow);
          client.send(this.#statusFrame());
          return;
        }
        const since = this.#at(client.flow.sent);
        const kept = this.#ring.after(since.seq);
        const result = kept
          ? ({ ok: true, batch: kept } as const)
          : await changeLog(this.env).read(since, READ_CHARS);
        if (this.#position?.epoch !== since.epoch || client.flow.sent !== since.seq) continue; // a reset came meanwhile
        if (!result.ok) {
          this.#reset(client, result.reason);
          return;
        }
        const batch = cut(result.batch, since.seq, this.#position.seq);
        this.#sendBatch(client, batch, new Selector(batch));
      }
    } catch (error) {
      logEvent("warn", "could not read history for a client; it is asked to come back", {
        error: String(error),
      });
      client.socket.close(CloseCode.COME_BACK, "come back with your position");
      this.#gone(client.socket);
    } finally {
      client.serving = false;
    }
  }

  /** Brings this Hub to the head of the log. One at a time; whoever asks meanwhile shares it. */
  #pullAll(): Promise<void> {
    this.#pull ??= this.#pullPages().finally(() => {
      this.#pull = null;
    });
    return this.#pull;
  }

  async #pullPages(): Promise<void> {
    const log = changeLog(this.env);
    for (;;) {
      const since = this.#position;
      if (since === null) return;
      const result = await log.read(since, READ_CHARS);
      if (!result.ok) {
        this.#moveTo(result.head);
        this.#ring.clear();
        for (const client of this.#clients.values()) this.#reset(client, result.reason);
        return;
      }
      if (this.#position?.epoch !== result.batch.epoch) return;
      this.#take(result.batch);
      if (result.batch.to === result.head.seq) return;
    }
  }

  #reset(client: Client, reason: ResetReason): void {
    const position = this.#position;
    if (position === null) return;
    this.#send(client, { type: "reset", reason, position: formatPosition(position) });
    client.flow = { ...liveAt(position.seq), underWay: [] };
    client.save();
    client.send(this.#statusFrame());
  }

  #advanceSoon(): void {
    // It keeps the Hub awake for this second, and so no client sleeps behind the Hub's position.
    this.#advanceTimer ??= setTimeout(() => {
      this.#advanceTimer = null;
      for (const client of this.#clients.values()) {
        const { framed, sent, mode } = client.flow;
        if (framed === sent || mode === "behind") continue;
        const frame = changesFrame(formatPosition(this.#at(framed)), formatPosition(this.#at(sent)), "");
        this.#sendFrame(client, frame, sent, 0);
      }
    }, ADVANCE_MS);
  }

  #reportSoon(): void {
    this.#reportTimer ??= setTimeout(() => {
      this.#reportTimer = null;
      const report = this.#report();
      if (report.clients === 0) this.#joined = false;
      changeLog(this.env)
        .report(this.#name(), report)
        .catch((error: unknown) => {
          logEvent("warn", "could not report clients; the next check-in will", {
            hub: this.#name(),
            error: String(error),
          });
        });
    }, REPORT_MS);
  }

  #report(): HubReport {
    this.#lastReportAt = Math.max(this.#lastReportAt + 1, Date.now());
    return { clients: this.#clients.size + this.#joining, at: this.#lastReportAt };
  }

  async #keepWatch(): Promise<void> {
    if ((await this.ctx.storage.getAlarm()) === null)
      await this.ctx.storage.setAlarm(Date.now() + CHECK_IN_MS);
  }

  #gone(socket: WebSocket): void {
    if (this.#clients.delete(socket)) this.#reportSoon();
  }

  #moveTo(position: Position): void {
    if (position.epoch !== this.#position?.epoch) this.#ring.clear();
    this.#position = position;
    this.ctx.setWebSocketAutoResponse(
      new WebSocketRequestResponsePair(PING, formatPong(formatPosition(position))),
    );
  }

  #at(seq: number): Position {
    return { epoch: this.#position?.epoch ?? "", seq };
  }

  #statusFrame(): string {
    return JSON.stringify({ type: "status", ...this.#known() } satisfies ServerMessage);
  }

  /** The numbers of the whole as the log last told them: the same for everyone, so that a correction always comes. */
  #known(): LogStatus {
    return this.#status ?? { connectedClients: 0, listener: "connecting", lagMs: null };
  }

  #send(client: Client, message: ServerMessage): void {
    client.send(JSON.stringify(message));
  }

  #name(): string {
    const { name } = this.ctx.id;
    if (name === undefined) throw new Error("a hub is only reached by its name");
    return name;
  }
}

/** Whether a Hub at `position` can say what becomes of a client at `since` without asking the log first. */
function reaches(position: Position, since: Position): boolean {
  return position.epoch === since.epoch && since.seq <= position.seq;
}

function unreachable(position: Position, since: Position): ResetReason | null {
  if (position.epoch !== since.epoch) return "epoch";
  return since.seq > position.seq ? "future" : null;
}

function same(a: Position, b: Position): boolean {
  return a.epoch === b.epoch && a.seq === b.seq;
}
