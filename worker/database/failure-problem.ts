/** What a failed query means to the caller of the API. */
import type { ProblemCode } from "../http/problem-codes.ts";
import { type DatabaseError, DatabaseUnavailable } from "./failure.ts";
import { FateUnknown } from "./retry.ts";

export interface FailureProblem {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly field?: string;
  readonly retryAfterSeconds?: number;
}

/** How long a suspended compute takes to wake, generously. */
const RETRY_AFTER_SECONDS = 2;

/** Says which code, sentence and field a failed query becomes. Postgres' own messages stay in the log: they quote values. */
export function describeDatabaseFailure(error: DatabaseError | DatabaseUnavailable): FailureProblem {
  if (error instanceof FateUnknown) return unsure;
  if (error instanceof DatabaseUnavailable) return unavailable;
  const { sqlState, constraint, column } = error;
  switch (sqlState) {
    case "23505":
      return withField("conflict", "A row with this value exists already.", fieldOf(constraint, "key"));
    case "23503":
      return withField("conflict", "Another row depends on this value.", fieldOf(constraint, "fkey"));
    case "23514":
      return withField(
        "invalid_value",
        "The value breaks a rule of the table.",
        fieldOf(constraint, "check"),
      );
    case "23502":
      return withField("invalid_value", "The value may not be null.", column);
    case "22003":
      return withField("invalid_value", "The number is out of range.", column);
    case "40001": // serialization_failure
    case "40P01": // deadlock_detected
    case "55P03": // lock_not_available
      return {
        code: "database_busy",
        detail: "Another transaction was in the way. Try again.",
        retryAfterSeconds: 1,
      };
    case "57014": // query_canceled: by us (cancel.ts), or its statement_timeout
      return {
        code: "database_busy",
        detail: "It took too long and was cancelled, so nothing was done. Try again.",
        retryAfterSeconds: 1,
      };
    case "42P01": // undefined_table
    case "42703": // undefined_column
    case "42883": // undefined_function
    case "3F000": // invalid_schema_name
      return { code: "database_not_migrated", detail: "Tables are missing: run `npm run migrate` on it." };
    case "3D000": // invalid_catalog_name
    case "42501": // insufficient_privilege
    case "25006": // read_only_sql_transaction
      return refused;
    default:
      return describeClass(sqlState, column);
  }
}

function describeClass(sqlState: string, column: string | null): FailureProblem {
  switch (sqlState.slice(0, 2)) {
    case "22":
      return withField("invalid_value", "The value does not fit its column.", column);
    case "28":
      return refused;
    case "08": // connection
    case "53": // out of connections, memory, disk
    case "54": // too much at once
    case "57": // shutting down, starting up
    case "58": // system
      return unavailable;
    default:
      return { code: "internal", detail: "Something broke on our side; it has been logged." };
  }
}

const unavailable: FailureProblem = {
  code: "database_unavailable",
  detail: "The database does not answer right now. Try again shortly.",
  retryAfterSeconds: RETRY_AFTER_SECONDS,
};

const unsure: FailureProblem = {
  code: "database_unavailable",
  detail:
    "The database did not answer, so whether this was done is not known: look before you send it again, " +
    "or write with an Idempotency-Key, which makes a repetition safe.",
  retryAfterSeconds: RETRY_AFTER_SECONDS,
};

const refused: FailureProblem = {
  code: "database_refused",
  detail:
    "The database is there but does not let the Worker do this: check user, database and rights in DATABASE_URL.",
};

function withField(code: ProblemCode, detail: string, field: string | null): FailureProblem {
  return field === null ? { code, detail } : { code, detail, field };
}

/** `orders_status_check` to `status`: how Postgres names the constraint of a column, and how sql/ names them. */
function fieldOf(constraint: string | null, suffix: string): string | null {
  return constraint?.match(new RegExp(`^orders_(.+)_${suffix}$`))?.[1] ?? null;
}
