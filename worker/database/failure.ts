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

/** No answer, or one from something on the way: refused, timed out, cut off, compute not woken. */
export class DatabaseUnavailable extends Error {
  override readonly name = "DatabaseUnavailable";
  readonly code = "database_unavailable";

  /** Whether the statement may have reached Postgres; when not, it surely was not carried out. */
  readonly sent: boolean;

  constructor(message: string, { sent = true, cause }: { sent?: boolean; cause?: unknown } = {}) {
    super(message, { cause });
    this.sent = sent;
  }
}
