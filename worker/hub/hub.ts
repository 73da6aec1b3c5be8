/**
 * A Hub: the sockets of one region's shard and nothing else. It is pushed batches by the ChangeLog, pulls what it missed,
 * and sends to each client what its filter lets through, as fast as that client takes it in. It may lose its memory after
 * any ten idle seconds: sockets carry their own state, and the auto-response to `ping` carries the Hub's position.
 */
import { DurableObject } from "cloudflare:workers";
import { CloseCode, TOKEN_EXPIRED } from "../../protocol/close-codes.ts";
import type { Filter } from "../../protocol/filter.ts";
import { filterFromSearch } from "../../protocol/filter-address.ts";
import { formatPong, parsePong, PING } from "../../protocol/frames.ts";
import type { ResetReason, ServerMessage } from "../../protocol/messages.ts";
import { formatPosition, parsePosition, type Position } from "../../protocol/position.ts";
import { PROTOCOL_VERSION } from "../../protocol/version.ts";
import type { HubReport } from "../change-log/fan-out.ts";
import type { Batch } from "../change-log/history.ts";
import type { LogStatus } from "../change-log/status.ts";
import type { Env } from "../env.ts";
import { recordConnection } from "../analytics.ts";
import { problemResponse } from "../http/problem.ts";
import { logEvent } from "../log.ts";
import { changeLog } from "../objects.ts";
import { Audience } from "./audience.ts";
import type { Bearer } from "./attachment.ts";
import { Client, wake } from "./client.ts";
import { readBearer, readCaps, requireRoom, TICKET_HEADER, UsedTickets } from "./door.ts";
import { behindAt, liveAt, WINDOW } from "./flow.ts";
import { readMessage } from "./inbox.ts";

/** How much is read from the log at once for a client or a Hub that is behind. */
const READ_CHARS = 131_072;
/** Counts of clients go to the ChangeLog this much after a change. */
const REPORT_MS = 200;
/** With clients here, the Hub checks in this often: a lost registration is mended, dead sockets are closed. */
const CHECK_IN_MS = 60_000;
/** A client that pings (every 25 s) and then is silent for this long is dead. */
const DEAD_AFTER_MS = 90_000;

export class Hub extends DurableObject<Env> {
  readonly #audience: Audience;
  /** The ChangeLog knows of this Hub and pushes to it. */
  #joined: boolean;
  /** Null after waking, until the log has been heard. */
  #status: LogStatus | null = null;
  /** Those on their way in, for whom the log is being asked where it stands. */
  readonly #arriving = new Set<Bearer>();
  /** A push came while the first client was on its way in: what it brought must be pulled. */
  #missed = false;
  #joinedAt = 0;
  /** From the first ticket on: most hubs never see one. */
  #tickets: UsedTickets | null = null;
  #reportTimer: ReturnType<typeof setTimeout> | null = null;
  #lastReportAt = 0;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const position = parsePosition(parsePong(ctx.getWebSocketAutoResponse()?.response ?? "") ?? "");
    this.#audience = new Audience(
      {
        read: (since) => changeLog(env).read(since, READ_CHARS),
        moved: (to) => this.#answerPings(to),
        counted: () => this.#reportSoon(),
        statusFrame: () => JSON.stringify({ type: "status", ...this.#known() } satisfies ServerMessage),
      },
      position,
    );
    for (const socket of ctx.getWebSockets()) {
      const client = position === null ? null : wake(socket, position.seq);
      if (client === null) socket.close(CloseCode.COME_BACK, "come back with your position");
      else this.#audience.restore(client);
    }
    this.#joined = this.#audience.size > 0;
  }

  /** A WebSocket upgrade from the Worker, which has checked `since`, the filter, and who is asking. */
  override async fetch(request: Request): Promise<Response> {
    const { searchParams } = new URL(request.url);
    let bearer: Bearer;
    try {
      bearer = readBearer(request.headers);
      this.#letIn(bearer, request.headers.get(TICKET_HEADER));
    } catch (error) {
      return problemResponse(error, "/");
    }
    const filter = filterFromSearch(searchParams);
    const fold = searchParams.get("fold") === "1";
    const since = parsePosition(searchParams.get("since") ?? "");
    const { 0: theirs, 1: ours } = new WebSocketPair();
    this.#arriving.add(bearer);
    try {
      const position = await this.#arrive(since);
      this.ctx.acceptWebSocket(ours);
      this.#welcome(ours, { bearer, filter, fold }, since, position);
      recordConnection(this.env, this.#name(), since !== null);
    } finally {
      this.#arriving.delete(bearer);
    }
    await this.#keepWatch(bearer.expiresAt);
    return new Response(null, { status: 101, webSocket: theirs });
  }

  /** The ChangeLog has something new. What does not continue here is pulled instead. */
  async push(batch: Batch, status: LogStatus): Promise<HubReport> {
    this.#status = status;
    const { position, size } = this.#audience;
    if (size === 0 || position === null) {
      if (this.#arriving.size > 0) this.#missed = true;
      else this.#joined = false;
    } else if (batch.epoch === position.epoch && batch.from <= position.seq) this.#audience.take(batch);
    else await this.#audience.pull();
    return this.#report();
  }

  /** The numbers of the whole have changed. */
  tell(status: LogStatus): HubReport {
    this.#status = status;
    this.#audience.tell();
    return this.#report();
  }

  override webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): void {
    const client = this.#audience.find(socket);
    const { position } = this.#audience;
    if (client === undefined || position === null) return;
    if (data === PING) {
      client.send(formatPong(formatPosition(position))); // only when the platform did not answer by itself
      return;
    }
    const result = readMessage(data, client.filter);
    switch (result.kind) {
      case "ack":
        this.#audience.acknowledge(client, result.position);
        return;
      case "filter":
        this.#audience.refilter(client, result.filter);
        send(client, {
          type: "subscribed",
          filter: result.filter,
          position: formatPosition({ epoch: position.epoch, seq: this.#audience.sentTo(client) }),
        });
        return;
      case "error":
        send(client, { type: "error", code: result.code, message: result.message });
        return;
      case "too-large":
        socket.close(CloseCode.FRAME_TOO_LARGE, "frame too large");
    }
  }

  override webSocketClose(socket: WebSocket): void {
    this.#audience.remove(socket);
  }

  override webSocketError(socket: WebSocket): void {
    this.#audience.remove(socket); // a connection that broke; what it missed it fetches when it comes back
  }

  override async alarm(): Promise<void> {
    const now = Date.now();
    for (const client of this.#audience.clients) {
      const { socket, connectedAt, bearer } = client;
      if (bearer.expiresAt !== null && bearer.expiresAt <= now) {
        // Said in a frame too: readers of events see no close codes, and a close is told to a client only when the
        // connection under it is gone, which takes workerd ten seconds after an alarm.
        send(client, {
          type: "error",
          code: TOKEN_EXPIRED,
          message: "the token has run out: come back with a new one",
        });
        socket.close(CloseCode.TOKEN_EXPIRED, "token expired");
        this.#audience.remove(socket);
        continue;
      }
      const pinged = this.ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime();
      if (pinged === undefined || now - Math.max(pinged, connectedAt) <= DEAD_AFTER_MS) continue;
      socket.close(CloseCode.IDLE, "nothing heard from you");
      this.#audience.remove(socket);
    }
    if (this.#audience.size === 0) return;
    const expiries = Array.from(this.#audience.clients, ({ bearer }) => bearer.expiresAt ?? Infinity);
    const earliest = expiries.reduce((least, each) => Math.min(least, each), Infinity);
    await this.ctx.storage.setAlarm(Math.min(now + CHECK_IN_MS, earliest));
    if (now - this.#joinedAt < CHECK_IN_MS / 2) return; // woken for a token, not for the check-in
    const { position } = await this.#join();
    const here = this.#audience.position;
    if (here?.epoch !== position.epoch || here.seq !== position.seq) await this.#audience.pull();
  }

  #welcome(
    socket: WebSocket,
    wish: { bearer: Bearer; filter: Filter | null; fold: boolean },
    since: Position | null,
    position: Position,
  ): void {
    const reason = since === null ? null : unreachable(position, since);
    const start = since === null || reason !== null ? position : since;
    const flow = start.seq === position.seq ? liveAt(start.seq) : behindAt(start.seq);
    const client = new Client(socket, { ...wish, id: crypto.randomUUID(), flow, connectedAt: Date.now() });
    client.save();
    this.#audience.add(client);
    const { connectedClients, listener } = this.#known();
    send(client, {
      type: "welcome",
      clientId: client.id,
      position: formatPosition(since ?? position),
      connectedClients,
      listener,
      window: WINDOW,
      protocol: PROTOCOL_VERSION,
    });
    if (reason !== null) send(client, { type: "reset", reason, position: formatPosition(position) });
    this.#audience.begin(client);
  }

  /** Where this Hub is, once it is as far as a client at `since` may expect. */
  async #arrive(since: Position | null): Promise<Position> {
    const position = await this.#present();
    if (since === null || (position.epoch === since.epoch && since.seq <= position.seq)) return position;
    // Ahead of this Hub, or of another epoch: perhaps the Hub is what is behind.
    await this.#audience.pull();
    return this.#present();
  }

  /** Where this Hub is; the first client makes it known to the ChangeLog and learns it from there. */
  async #present(): Promise<Position> {
    const known = this.#audience.position;
    if (this.#joined && known !== null && this.#status !== null) return known;
    const { position } = await this.#join();
    // While the answer was under way, others may have come in and pushes may have been taken.
    if (this.#audience.position === null || this.#audience.size === 0) this.#audience.moveTo(position);
    this.#joined = true;
    while (this.#missed) {
      this.#missed = false;
      await this.#audience.pull();
    }
    return this.#audience.position ?? position;
  }

  async #join(): Promise<{ position: Position; status: LogStatus }> {
    const answer = await changeLog(this.env).join(this.#name(), this.#report());
    this.#status = answer.status;
    this.#joinedAt = Date.now();
    return answer;
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
    return { clients: this.#audience.size + this.#arriving.size, at: this.#lastReportAt };
  }

  /** @throws {Problem} for a ticket that has been used, or too many sockets of one address or token. */
  #letIn(bearer: Bearer, ticket: string | null): void {
    requireRoom(readCaps(this.env), bearer, this.#bearers());
    if (ticket === null) return;
    const [id = "", expires = ""] = ticket.split(" ");
    this.#tickets ??= new UsedTickets(this.ctx.storage.sql);
    this.#tickets.use(id, Number(expires), Date.now());
  }

  /** Of those who are in, and of those who will be in a moment: many may knock at once. */
  *#bearers(): Generator<Bearer> {
    for (const { bearer } of this.#audience.clients) yield bearer;
    yield* this.#arriving;
  }

  async #keepWatch(expiresAt: number | null): Promise<void> {
    const due = Math.min(Date.now() + CHECK_IN_MS, expiresAt ?? Infinity);
    const set = await this.ctx.storage.getAlarm();
    if (set === null || due < set) await this.ctx.storage.setAlarm(due);
  }

  #answerPings(position: Position): void {
    const pong = formatPong(formatPosition(position));
    this.ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, pong));
  }

  /** The numbers of the whole as the log last told them: the same for everyone, so that a correction always comes. */
  #known(): LogStatus {
    return this.#status ?? { connectedClients: 0, listener: "connecting", lagMs: null };
  }

  #name(): string {
    const { name } = this.ctx.id;
    if (name === undefined) throw new Error("a hub is only reached by its name");
    return name;
  }
}

/** Why a Hub at `position`, which is as far as the log, cannot continue a client at `since`. */
function unreachable(position: Position, since: Position): ResetReason | null {
  if (position.epoch !== since.epoch) return "epoch";
  return since.seq > position.seq ? "future" : null;
}

function send(client: Client, message: ServerMessage): void {
  client.send(JSON.stringify(message));
}
