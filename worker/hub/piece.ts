/** What clients are sent together: changes, and the frames around them, each built once for all at one place. */
import { changesFrame } from "../../protocol/frames.ts";
import { formatPosition, type Position } from "../../protocol/position.ts";
import { lean } from "./lean.ts";
import type { Selection } from "./selection.ts";

export class Piece implements Selection {
  readonly text: string;
  readonly count: number;
  readonly #end: Position;
  #lean: string | null = null;
  readonly #wholeFrames = new Map<number, string>();
  readonly #leanFrames = new Map<number, string>();

  /** @param end with it a client has been told everything up to there. */
  constructor({ text, count }: Selection, end: Position) {
    this.text = text;
    this.count = count;
    this.#end = end;
  }

  /** The number of `end`. */
  get last(): number {
    return this.#end.seq;
  }

  /**
   * The frame for a client that stands at a number of the same epoch.
   *
   * @param isLean whether changes leave out what the client can derive (protocol/lean.ts).
   */
  frame(from: number, isLean: boolean): string {
    const frames = isLean ? this.#leanFrames : this.#wholeFrames;
    let frame = frames.get(from);
    if (frame === undefined) {
      const changes = isLean ? (this.#lean ??= lean(this.text)) : this.text;
      const begin = { epoch: this.#end.epoch, seq: from };
      frame = changesFrame(formatPosition(begin), formatPosition(this.#end), changes);
      frames.set(from, frame);
    }
    return frame;
  }
}
