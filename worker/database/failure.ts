/** What can go wrong with a query, the same for every adapter. */

/** Postgres answered, with an error. */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
  readonly code = "database_error";
  /** https://www.postgresql.org/docs/current/errcodes-appendix.html */
  readonly sqlState: string;
  readonly constraint: string | null;
  readonly column: string | null;

  constructor(
    message: string,
    fields: {
      sqlState: string;
      constraint?: string | null | undefined;
      column?: string | null | undefined;
      cause?: unknown;
    },
  ) {
    super(message, { cause: fields.cause });
    this.sqlState = fields.sqlState;
    this.constraint = fields.constraint ?? null;
    this.column = fields.column ?? null;
  }
}

/**
 * No answer, or one from something on the way: refused, timed out, cut off, compute not woken. Whether the statement ran
 * is not known.
 */
export class DatabaseUnavailable extends Error {
  override readonly name = "DatabaseUnavailable";
  readonly code = "database_unavailable";

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
  }
}
