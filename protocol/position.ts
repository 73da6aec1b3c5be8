/**
 * A position in the ChangeLog, `<epoch>.<seq>`: the client at it has seen every change of that epoch up to and with
 * number `seq`. Numbers are contiguous from 1, so a position also counts changes. Between epochs nothing can be compared.
 */

export interface Position {
  /** Random, minted when the log's storage is created or the source's history changes. */
  readonly epoch: string;
  /** The number of the last change seen; 0 before the first. */
  readonly seq: number;
}

const PATTERN = /^([0-9a-z]{1,32})\.(0|[1-9][0-9]{0,15})$/;

/** Reads `<epoch>.<seq>`; null when the text is not a position. */
export function parsePosition(text: string): Position | null {
  const match = PATTERN.exec(text);
  if (!match) return null;
  const [, epoch = "", digits = ""] = match;
  const seq = Number(digits);
  return Number.isSafeInteger(seq) ? { epoch, seq } : null;
}

/** The text form, as it travels in frames, in `id:` lines and in `?since=`. */
export function formatPosition(position: Position): string {
  return `${position.epoch}.${position.seq}`;
}

/** How many changes lie between two positions of one epoch; null when the epochs differ. Negative when `to` is older. */
export function distance(from: Position, to: Position): number | null {
  return from.epoch === to.epoch ? to.seq - from.seq : null;
}
