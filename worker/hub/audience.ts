/**
 * The clients of a Hub and what they are sent: each batch as it comes to those that keep up, ring and log to those that
 * are behind, a reset to those whose history is gone. Owns the Hub's position: every live client has everything up to it.
 */
import { CloseCode } from "../../protocol/close-codes.ts";
import type { Filter } from "../../protocol/filter.ts";
import { changesFrame } from "../../protocol/frames.ts";
import type { ResetReason, ServerMessage } from "../../protocol/messages.ts";
import { formatPosition, type Position } from "../../protocol/position.ts";
import { cut, type Batch, type ReadResult } from "../change-log/history.ts";
import { Ring } from "../change-log/ring.ts";
import type { Client } from "./client.ts";
import { CatchUp } from "./catch-up.ts";
import { acknowledged, caughtUp, fellBehind, frameSent, liveAt } from "./flow.ts";
import { Piece } from "./piece.ts";
import { Views } from "./views.ts";

const RING_CHARS = 4_000_000;
/** A filtered client that was passed over is told the position this much later, in an empty frame. */
const ADVANCE_MS = 1000;

interface Dependencies {
  /** History after a position, from the ChangeLog. */
  read(since: Position): Promise<ReadResult & { head: Position }>;
  /** The position has changed. */
  moved(position: Position): void;
  /** A batch has been taken in, or everything is to begin anew: for whom this Hub hands on to. */
  took(batch?: Batch): void;
  /** A client came or went. */
  counted(): void;
  /** The present `status` frame. */
  statusFrame(): string;
}

export class Audience {
  readonly #deps: Dependencies;
  readonly #clients = new Map<WebSocket, Client>();
  readonly #views = new Views<Client>();
  readonly #ring = new Ring(RING_CHARS);
  readonly #catchUp: CatchUp;
  #position: Position | null;
  #pull: Promise<void> | null = null;
  #advanceTimer: ReturnType<typeof setTimeout> | null = null;

  /** @param position where a Hub that slept was; null for one that has never been told. */
  constructor(deps: Dependencies, position: Position | null) {
    this.#deps = deps;
    this.#position = position;
    this.#catchUp = new CatchUp({
      position: () => this.#position,
      recent: (since) => this.recent(since, 0),
      read: (since) => deps.read(since),
      isHere: (client) => this.#clients.get(client.socket) === client,
      send: (client, piece) => this.#sendPiece(client, piece),
      reset: (client, reason) => this.#reset(client, reason),
      pull: () => this.pull(),
      arrived: (client, flow) => {
        client.flow = caughtUp(flow);
        client.send(deps.statusFrame());
        if (flow.framed < flow.sent) this.#advanceSoon();
      },
      remove: (client) => this.remove(client.socket),
    });
  }

  get position(): Position | null {
    return this.#position;
  }

  get size(): number {
    return this.#clients.size;
  }

  get clients(): Iterable<Client> {
    return this.#clients.values();
  }

  find(socket: WebSocket): Client | undefined {
    return this.#clients.get(socket);
  }

  /** A client that slept with its Hub: nothing is sent, nobody is told. */
  restore(client: Client): void {
    this.#clients.set(client.socket, client);
    this.#views.add(client, client.view);
  }

  add(client: Client): void {
    this.restore(client);
    this.#deps.counted();
  }

  /** Gives a client another filter: what is sent from now on passes that one. */
  refilter(client: Client, filter: Filter | null): void {
    this.#views.remove(client, client.view);
    client.filter = filter;
    this.#views.add(client, client.view);
  }

  /** Everything up to this number was sent to the client, or was outside its filter. */
  sentTo({ flow }: Client): number {
    return flow.mode === "behind" ? flow.sent : (this.#position?.seq ?? flow.framed);
  }

  /** After its welcome: `status` at once when it has everything, otherwise what it lacks, then `status`. */
  begin(client: Client): void {
    if (client.flow.mode === "live") client.send(this.#deps.statusFrame());
    else void this.#catchUp.serve(client);
  }

  remove(socket: WebSocket): void {
    const client = this.#clients.get(socket);
    if (client === undefined) return;
    this.#clients.delete(socket);
    this.#views.remove(client, client.view);
    this.#deps.counted();
  }

  /** What follows a position, at least a batch, where it is kept here; null otherwise, and where nothing follows. */
  recent({ epoch, seq }: Position, maxChars: number): Batch | null {
    return epoch === this.#position?.epoch ? this.#ring.after(seq, maxChars) : null;
  }

  /**
   * Asks so many clients to come back, spread over `afterMs`: they will be let in elsewhere. Those that have been asked
   * already count as gone.
   */
  sendAway(count: number, afterMs: number): void {
    let left = count - this.leaving;
    for (const client of this.#clients.values()) {
      if (left <= 0) return;
      if (client.isLeaving) continue;
      client.isLeaving = true;
      left -= 1;
      client.send(JSON.stringify({ type: "reconnect", after: afterMs } satisfies ServerMessage));
    }
  }

  /** How many have been asked to go and are still here. */
  get leaving(): number {
    let leaving = 0;
    for (const { isLeaving } of this.#clients.values()) if (isLeaving) leaving += 1;
    return leaving;
  }

  /** Ends the connections of those who were asked to go long ago. */
  closeLeaving(): void {
    for (const { socket, isLeaving } of this.#clients.values()) {
      if (!isLeaving) continue;
      socket.close(CloseCode.COME_BACK, "come back with your position");
      this.remove(socket);
    }
  }

  moveTo(position: Position): void {
    if (position.epoch !== this.#position?.epoch) this.#ring.clear();
    this.#position = position;
    this.#deps.moved(position);
  }

  /** Takes a batch of this epoch that begins at or before the position; what of it is known already is left out. */
  take(batch: Batch): void {
    const position = this.#position;
    if (position === null || batch.to <= position.seq) return;
    const fresh = cut(batch, position.seq);
    this.#ring.add(fresh);
    this.moveTo({ epoch: fresh.epoch, seq: fresh.to });
    this.#deps.took(fresh);
    for (const { clients, selection } of this.#views.shares(fresh)) {
      const piece = new Piece(selection, { epoch: fresh.epoch, seq: fresh.to });
      for (const client of clients) {
        const { flow } = client;
        if (flow.mode === "behind") continue;
        if (client.hasRoom) this.#sendPiece(client, piece);
        else client.flow = fellBehind(flow, fresh.from);
      }
    }
    if (this.#views.areFiltered) this.#advanceSoon();
  }

  /** The client has taken in everything up to `position`: there may be room for more. */
  acknowledge(client: Client, position: Position): void {
    if (position.epoch !== this.#position?.epoch) return; // from before a reset
    client.took(acknowledged(client.flow, position.seq));
    if (client.flow.mode === "behind") void this.#catchUp.serve(client);
    else if (client.flow.framed < position.seq) this.#advanceSoon();
  }

  /** A status frame to everyone who is up to date; the others get it when they are. */
  tell(): void {
    const text = this.#deps.statusFrame();
    for (const client of this.#clients.values()) if (client.flow.mode === "live") client.send(text);
  }

  /** Brings everyone to the head of the log. One at a time: whoever asks meanwhile shares it. */
  pull(): Promise<void> {
    this.#pull ??= this.#pullPages().finally(() => {
      this.#pull = null;
    });
    return this.#pull;
  }

  async #pullPages(): Promise<void> {
    for (;;) {
      const since = this.#position;
      if (since === null) return;
      const result = await this.#deps.read(since);
      if (!result.ok) {
        this.moveTo(result.head);
        this.#ring.clear();
        this.#deps.took();
        for (const client of this.#clients.values()) this.#reset(client, result.reason);
        return;
      }
      if (this.#position?.epoch !== result.batch.epoch) return;
      this.take(result.batch);
      if (result.batch.to === result.head.seq) return;
    }
  }

  #sendPiece(client: Client, piece: Piece): void {
    this.#sendFrame(client, piece.frame(client.flow.framed, client.lean), piece.last, piece.count);
  }

  /** A socket that takes nothing any more is closing: it is forgotten at once, so that nothing waits for it. */
  #sendFrame(client: Client, frame: string, seq: number, count: number): void {
    if (client.send(frame)) client.sent(frameSent(client.flow, seq, frame.length, count));
    else this.remove(client.socket);
  }

  #reset(client: Client, reason: ResetReason): void {
    const position = this.#position;
    if (position === null) return;
    const message: ServerMessage = { type: "reset", reason, position: formatPosition(position) };
    client.send(JSON.stringify(message));
    client.flow = liveAt(position.seq);
    client.save();
    client.send(this.#deps.statusFrame());
  }

  #advanceSoon(): void {
    // It keeps the Hub awake for this second, and so no client sleeps behind the Hub's position.
    this.#advanceTimer ??= setTimeout(() => {
      this.#advanceTimer = null;
      const to = this.#position?.seq ?? 0;
      for (const client of this.#clients.values()) {
        const { framed, mode } = client.flow;
        if (framed >= to || mode === "behind" || !client.hasRoom) continue;
        this.#sendFrame(client, changesFrame(this.#text(framed), this.#text(to), ""), to, 0);
      }
    }, ADVANCE_MS);
  }

  #at(seq: number): Position {
    return { epoch: this.#position?.epoch ?? "", seq };
  }

  #text(seq: number): string {
    return formatPosition(this.#at(seq));
  }
}
