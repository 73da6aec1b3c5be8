/** One socket of a Hub: what is known of it in memory, and what of that its attachment carries through hibernation. */
import type { Filter } from "../../protocol/filter.ts";
import { pack, unpack, type Attachment, type Bearer } from "./attachment.ts";
import { viewOf, type View } from "./selection.ts";
import { hasRoom, liveAt, load, WINDOW, type Flow } from "./flow.ts";
import { begun, tookIn, UNTRIED, type Pace } from "./pace.ts";

export class Client {
  readonly id: string;
  readonly socket: WebSocket;
  readonly connectedAt: number;
  /** Behind, it may be told only what became of each row. */
  readonly fold: boolean;
  /** Its frames leave out what it can derive. */
  readonly lean: boolean;
  /** Who opened it, and from where. */
  readonly bearer: Bearer;
  #filter: Filter | null;
  /** What it is sent: of what its token may see, what it asked for. */
  view: View;
  #flow: Flow;
  /** A loop that serves this client from ring or log is running. */
  serving = false;
  /** It has been asked to come back elsewhere. */
  isLeaving = false;
  #savedQuarter = 0;
  #pace = UNTRIED;

  constructor(socket: WebSocket, { id, bearer, filter, fold, lean, flow, connectedAt }: Attachment) {
    this.socket = socket;
    this.id = id;
    this.connectedAt = connectedAt;
    this.fold = fold;
    this.lean = lean;
    this.bearer = bearer;
    this.#filter = filter;
    this.view = viewOf(bearer.pin, filter);
    this.#flow = flow;
    this.#savedQuarter = quarter(flow);
  }

  get filter(): Filter | null {
    return this.#filter;
  }

  set filter(filter: Filter | null) {
    this.#filter = filter;
    this.view = viewOf(this.bearer.pin, filter);
    this.save();
  }

  get flow(): Flow {
    return this.#flow;
  }

  /**
   * The attachment is written when the mode changes, and whenever what is under way has grown or shrunk by a quarter of
   * the window, so that a client that never reads costs one window even if its Hub hibernates between changes.
   */
  set flow(flow: Flow) {
    const before = this.#flow;
    this.#flow = flow;
    const now = quarter(flow);
    if (flow.mode !== before.mode || flow.mode === "behind" || now !== this.#savedQuarter) {
      this.#savedQuarter = now;
      this.save();
    }
  }

  /** How much it takes in at a time. */
  get pace(): Pace {
    return this.#pace;
  }

  /** @param flow after a frame was sent. */
  sent(flow: Flow): void {
    if (load(this.#flow).bytes === 0) this.#pace = begun(this.#pace, Date.now());
    this.flow = flow;
  }

  /** @param flow after an acknowledgement. */
  took(flow: Flow): void {
    const bytes = load(this.#flow).bytes - load(flow).bytes;
    if (bytes > 0) this.#pace = tookIn(this.#pace, bytes, Date.now());
    this.flow = flow;
  }

  get hasRoom(): boolean {
    return hasRoom(this.#flow);
  }

  save(): void {
    try {
      this.socket.serializeAttachment(
        pack({
          id: this.id,
          bearer: this.bearer,
          filter: this.#filter,
          connectedAt: this.connectedAt,
          fold: this.fold,
          lean: this.lean,
          flow: this.#flow,
        }),
      );
    } catch {
      // A socket that has just closed holds nothing any more; its close event takes it out.
    }
  }

  /** @returns false when the socket is closing: its close event is on its way. */
  send(text: string): boolean {
    try {
      this.socket.send(text);
      return true;
    } catch {
      return false; // "Can't call WebSocket send() after close()": the only reason send has
    }
  }
}

/**
 * A client after hibernation. One that was live has by definition everything up to the Hub's position: a Hub sleeps only
 * after ten idle seconds, and by then the empty frames to filtered clients are out as well.
 */
export function wake(socket: WebSocket, seq: number): Client | null {
  const saved = unpack(socket.deserializeAttachment());
  if (saved === null) return null;
  const flow = saved.flow.mode === "live" ? { ...liveAt(seq), underWay: saved.flow.underWay } : saved.flow;
  return new Client(socket, { ...saved, flow });
}

function quarter(flow: Flow): number {
  const { bytes, changes } = load(flow);
  return Math.floor(4 * Math.max(bytes / WINDOW.bytes, changes / WINDOW.changes));
}
