/**
 * What clients that are behind are sent of a batch: cut into frames once for all who are at the same place, see the same and
 * take as much at a time. A burst that outruns many clients leaves them at one place.
 */
import type { Position } from "../../protocol/position.ts";
import type { Batch } from "../change-log/history.ts";
import { Piece } from "./piece.ts";
import { inPieces, select, type Selection, type View } from "./selection.ts";

/** A selection that ends at `end`, in pieces of at most `pieceChars`, or of one change; none when it is empty. */
export function piecesOf(
  selection: Selection,
  pieceChars: number,
  { epoch, seq }: Position,
): readonly Piece[] {
  if (selection.count === 0) return [];
  return Array.from(
    inPieces(selection, pieceChars, seq),
    ({ last, ...piece }) => new Piece(piece, { epoch, seq: last }),
  );
}

export class Pieces {
  readonly #maxChars: number;
  readonly #kept = new Map<string, { readonly pieces: readonly Piece[]; readonly chars: number }>();
  #chars = 0;

  /** @param maxChars how much text is kept for others; the newest always is. */
  constructor(maxChars: number) {
    this.#maxChars = maxChars;
  }

  /** The pieces of what a view lets through of a batch. */
  of(batch: Batch, view: View, pieceChars: number): readonly Piece[] {
    const key = `${batch.epoch}.${batch.from}-${batch.to} ${pieceChars} ${view.key}`;
    const known = this.#kept.get(key);
    if (known !== undefined) return known.pieces;
    const selection = select(batch, view);
    const pieces = piecesOf(selection, pieceChars, { epoch: batch.epoch, seq: batch.to });
    const chars = selection.text.length + key.length;
    this.#kept.set(key, { pieces, chars });
    this.#chars += chars;
    for (const [oldest, kept] of this.#kept) {
      if (this.#chars <= this.#maxChars || oldest === key) break;
      this.#kept.delete(oldest);
      this.#chars -= kept.chars;
    }
    return pieces;
  }
}
