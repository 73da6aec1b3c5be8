/** How commands end: the exit codes, and the errors that lead to them. */
export const EXIT = {
  ok: 0,
  /** The server says no, or the person who was asked does: trying the same again is of no use. */
  refused: 1,
  /** The command line cannot be understood. */
  usage: 2,
  /** No answer, or one of "not now" (429, 5xx): try again later. */
  unreachable: 3,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

/** What was asked for makes no sense as it stands; the message says what would. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Ctrl-C, at a question or while an answer was awaited. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** The person was asked, and said no. */
export class Declined extends Error {
  override readonly name = "Declined";
}
