/**
 * Clients that are behind, served from what the Hub keeps or from the log as fast as each takes it in, until it has
 * everything. Nothing is kept for them but how far each was sent.
 */
import { CloseCode } from "../../protocol/close-codes.ts";
import type { ResetReason } from "../../protocol/messages.ts";
import type { Position } from "../../protocol/position.ts";
import { cut, type Batch, type ReadResult } from "../change-log/history.ts";
import { logEvent } from "../log.ts";
import type { Client } from "./client.ts";
import { passedOver, type Behind } from "./flow.ts";
import { Folding } from "./folding.ts";
import type { Piece } from "./piece.ts";
import { Pieces, piecesOf } from "./pieces.ts";

/** With `fold=1`: a frame is sent when so much is left after folding and more rows come, or so much was read for it. */
const FOLDED_CHARS = 524_288;
const FOLD_READ_CHARS = 8_000_000;
/** So much of what was cut into frames is kept for the next client at the same place. */
const KEPT_CHARS = 2_000_000;

interface Dependencies {
  /** Where the Hub is. */
  position(): Position | null;
  /** The next batch after a position, where the Hub has kept it. */
  recent(since: Position): Batch | null;
  /** The same from the log. */
  read(since: Position): Promise<ReadResult>;
  isHere(client: Client): boolean;
  send(client: Client, piece: Piece): void;
  reset(client: Client, reason: ResetReason): void;
  /** Brings the Hub to the head of the log. */
  pull(): Promise<void>;
  /** It has everything. */
  arrived(client: Client, flow: Behind): void;
  remove(client: Client): void;
}

export class CatchUp {
  readonly #deps: Dependencies;
  readonly #pieces = new Pieces(KEPT_CHARS);

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** Serves a client that is behind, from the ring or the log, until it has everything or its window is full. */
  async serve(client: Client): Promise<void> {
    if (client.serving) return;
    client.serving = true;
    try {
      while (client.hasRoom && this.#deps.isHere(client)) {
        const { flow } = client;
        if (flow.mode === "live") return;
        if (flow.sent === this.#deps.position()?.seq) return this.#deps.arrived(client, flow);
        await this.#serveNext(client, flow);
      }
    } catch (error) {
      logEvent("warn", "could not read history for a client; it is asked to come back", {
        error: String(error),
      });
      client.socket.close(CloseCode.COME_BACK, "come back with your position");
      this.#deps.remove(client);
    } finally {
      client.serving = false;
    }
  }

  async #serveNext(client: Client, { sent }: Behind): Promise<void> {
    const since = { epoch: this.#deps.position()?.epoch ?? "", seq: sent };
    const first = await this.#readFor(client, since, since.seq);
    if (first === null) return;
    if (!client.fold) {
      this.#sendPieces(client, first.to, this.#pieces.of(first, client.view, client.pace.pieceChars));
      return;
    }
    const folding = new Folding(client.view.pin);
    let read = 0;
    for (let batch: Batch | null = first; batch !== null;) {
      const before = folding.rows;
      folding.add(batch.text);
      read += batch.text.length;
      const { to } = batch;
      const full = folding.chars >= FOLDED_CHARS && folding.rows > before;
      if (to === this.#deps.position()?.seq || full || read >= FOLD_READ_CHARS) {
        const pieces = piecesOf(folding.select(client.filter), client.pace.pieceChars, { ...since, seq: to });
        this.#sendPieces(client, to, pieces);
        return;
      }
      batch = await this.#readFor(client, since, to);
    }
  }

  /** The next batch after `seq` for a client that is behind at `since`; null when there is no going on from there. */
  async #readFor(client: Client, since: Position, seq: number): Promise<Batch | null> {
    const from = { epoch: since.epoch, seq };
    const kept = this.#deps.recent(from);
    const result = kept ? ({ ok: true, batch: kept } as const) : await this.#deps.read(from);
    const position = this.#deps.position();
    const { flow } = client;
    if (position?.epoch !== since.epoch || flow.mode === "live" || flow.sent !== since.seq) return null; // a reset came meanwhile
    // Not past this Hub's own position: from there on the client gets what everyone gets.
    if (result.ok) return cut(result.batch, seq, position.seq);
    if (result.reason === "expired") this.#deps.reset(client, result.reason);
    else await this.#deps.pull(); // a new epoch, of which this Hub has not heard: everyone is reset
    return null;
  }

  /** What has no room any more is read again when there is. */
  #sendPieces(client: Client, to: number, pieces: readonly Piece[]): void {
    if (pieces.length === 0 && client.flow.mode === "behind") client.flow = passedOver(client.flow, to);
    for (const piece of pieces) {
      if (!client.hasRoom) return;
      this.#deps.send(client, piece);
    }
  }
}
