/**
 * A Hub: the sockets of one region's shard, or in a large region the Hubs that it hands on to. It is pushed batches from
 * above, pulls what it missed, and sends to each client what its filter lets through, as fast as that client takes it in. It
 * may lose its memory after any ten idle seconds: sockets carry their own state, and the auto-response to `ping` carries
 * the Hub's position.
 */
import { DurableObject } from "cloudflare:workers";
import { CloseCode } from "../../protocol/close-codes.ts";
import { filterFromSearch } from "../../protocol/filter-address.ts";
import { formatPong, parsePong, PING } from "../../protocol/frames.ts";
import { formatPosition, parsePosition, type Position } from "../../protocol/position.ts";
import type { FanOut, HubReport } from "../change-log/fan-out.ts";
import type { Batch, ReadResult } from "../change-log/history.ts";
import { statusMessage, type LogStatus } from "../change-log/status.ts";
import type { Env } from "../env.ts";
import { recordConnection } from "../analytics.ts";
import { problemResponse } from "../http/problem.ts";
import { logEvent } from "../log.ts";
import { changeLog, hub } from "../objects.ts";
import { readWord } from "../settings.ts";
import { Audience } from "./audience.ts";
import type { Bearer } from "./attachment.ts";
import { openBelow } from "./below.ts";
import { wake } from "./client.ts";
import {
  isElsewhere,
  readBearer,
  readCaps,
  redirect,
  requireRoom,
  SHARDS_HEADER,
  TICKET_HEADER,
  UsedTickets,
} from "./door.ts";
import { readMessage } from "./inbox.ts";
import { Membership } from "./membership.ts";
import { Presence } from "./presence.ts";
import { formatHubName, parseHubName, type HubName } from "./region.ts";
import { sweep } from "./sweep.ts";
import { readShardLimits, shardsOf, spreadOf, surplus } from "./tree.ts";
import { send, welcome } from "./welcome.ts";

/** How much is read from the log at once for a client or a Hub that is behind. */
const READ_CHARS = 131_072;
/** With clients here, the Hub checks in this often: a lost registration is mended, dead sockets are closed. */
const CHECK_IN_MS = 60_000;

export class Hub extends DurableObject<Env> {
  readonly #audience: Audience;
  readonly #membership: Membership;
  readonly #presence: Presence;
  /** The Hubs that this one hands on to; null for one that holds sockets. */
  readonly #below: FanOut | null = null;
  /** Those on their way in, for whom the log is being asked where it stands. */
  readonly #arriving = new Set<Bearer>();
  /** The same for Hubs: how many clients they have. */
  #joining = 0;
  /** From the first ticket on: most hubs never see one. */
  #tickets: UsedTickets | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const position = parsePosition(parsePong(ctx.getWebSocketAutoResponse()?.response ?? "") ?? "");
    this.#audience = new Audience(
      {
        read: (since) => this.#membership.upstream.read(since, READ_CHARS),
        moved: (to) => this.#answerPings(to),
        took: (batch) => this.#below?.deliver(batch),
        counted: () => this.#membership.reportSoon(),
        statusFrame: () => JSON.stringify(statusMessage(this.#known())),
      },
      position,
    );
    for (const socket of ctx.getWebSockets()) {
      const client = position === null ? null : wake(socket, position.seq);
      if (client === null) socket.close(CloseCode.COME_BACK, "come back with your position");
      else this.#audience.restore(client);
    }
    if (this.#name.level > 0)
      this.#below = openBelow(env, ctx.storage.sql, {
        audience: this.#audience,
        status: () => this.#known(),
        counted: () => this.#membership.reportSoon(),
      });
    this.#membership = new Membership(this.#name, ctx.storage.kv, this.#clients > 0, {
      call: (parent) => (parent === null ? changeLog(env) : hub(env, parent)),
      clients: () => this.#clients,
      moved: (to) => this.#presence.catchUp(to),
      warn: (event, details) => logEvent("warn", event, details),
    });
    this.#presence = new Presence(this.#audience, this.#membership);
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
    const lean = searchParams.get("lean") === "1";
    const since = parsePosition(searchParams.get("since") ?? "");
    const { 0: theirs, 1: ours } = new WebSocketPair();
    this.#arriving.add(bearer);
    try {
      const position = await this.#presence.reach(since);
      const shards = shardsOf(this.#membership.plan, this.#name.region);
      if (isElsewhere(request.headers, this.#name, shards)) {
        this.#membership.reportSoon();
        return redirect(shards);
      }
      this.ctx.acceptWebSocket(ours);
      const client = welcome(ours, { bearer, filter, fold, lean }, since, position, this.#known());
      this.#audience.add(client);
      this.#audience.begin(client);
      recordConnection(this.env, formatHubName(this.#name), since !== null);
      await this.#keepWatch(bearer.expiresAt);
      return new Response(null, {
        status: 101,
        webSocket: theirs,
        headers: { [SHARDS_HEADER]: String(shards) },
      });
    } finally {
      this.#arriving.delete(bearer);
    }
  }

  /** There is something new. What does not continue here is pulled instead. */
  async push(batch: Batch, status: LogStatus): Promise<HubReport> {
    this.#membership.heard(status);
    const { position, size } = this.#audience;
    const isEmpty = size === 0 && (this.#below?.connectedClients ?? 0) === 0;
    if (isEmpty || (position === null && this.#below === null)) {
      if (this.#clients > 0) this.#presence.miss();
      else this.#membership.forget();
    } else if (position === null) {
      // One that hands on and has lost its memory: those below know what they have.
      this.#audience.moveTo({ epoch: batch.epoch, seq: batch.from });
      this.#audience.take(batch);
    } else if (batch.epoch === position.epoch && batch.from <= position.seq) this.#audience.take(batch);
    else await this.#audience.pull();
    return this.#membership.report();
  }

  /** The numbers of the whole have changed. */
  tell(status: LogStatus): HubReport {
    this.#membership.heard(status);
    this.#audience.tell();
    this.#below?.tell(status);
    this.#makeRoom();
    return this.#membership.report();
  }

  /** A Hub below has clients: from now on it is handed on to. Also its check-in. */
  async join(name: string, report: HubReport): Promise<{ position: Position; status: LogStatus }> {
    this.#joining += report.clients;
    let position: Position;
    try {
      position = await this.#presence.settle();
      this.#below?.report(name, report, position);
    } finally {
      this.#joining -= report.clients;
    }
    await this.#keepWatch(null);
    return { position, status: this.#known() };
  }

  /** A Hub below counts its clients; with none it is no longer handed on to. */
  report(name: string, report: HubReport): void {
    this.#below?.report(name, report);
  }

  /** History after a position, for the Hubs below: what is kept here, otherwise from further above. */
  async read(since: Position, maxChars: number): Promise<ReadResult & { head: Position }> {
    const { position } = this.#audience;
    const batch = this.#audience.recent(since, maxChars);
    if (batch !== null && position !== null) return { ok: true, batch, head: position };
    return this.#membership.upstream.read(since, maxChars);
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
    const pingedAt = (socket: WebSocket) => this.ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime();
    const expiry = sweep(this.#audience, pingedAt, now);
    if (this.#clients === 0) return;
    await this.ctx.storage.setAlarm(Math.min(now + CHECK_IN_MS, expiry));
    if (now - this.#membership.joinedAt < CHECK_IN_MS / 2) return; // woken for a token, not for the check-in
    this.#audience.closeLeaving();
    await this.#presence.catchUp(await this.#membership.join());
    this.#makeRoom();
  }

  /** Sends clients elsewhere where there are too many, or where there are to be none. */
  #makeRoom(): void {
    const { plan, status } = this.#membership;
    if (status === null || this.#below !== null || readWord(this.env, "ALLOW_HUB_OVERRIDE") === "true")
      return;
    const { size } = this.#audience;
    const count = surplus(this.#name, plan, size, readShardLimits(this.env).perHub);
    if (count > 0) this.#audience.sendAway(count, spreadOf(count));
  }

  /** All that are here, and those on their way in. */
  get #clients(): number {
    return this.#audience.size + this.#arriving.size + (this.#below?.connectedClients ?? 0) + this.#joining;
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
    return this.#membership.status ?? { connectedClients: 0, listener: "connecting", lagMs: null };
  }

  get #name(): HubName {
    const { name } = this.ctx.id;
    if (name === undefined) throw new Error("a hub is only reached by its name");
    return parseHubName(name);
  }
}
