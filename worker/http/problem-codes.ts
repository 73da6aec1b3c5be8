/**
 * Every code an error answer can carry: stable, for programs; the status and title belong to the code (RFC 9457: the same
 * problem type has the same title). A new kind of error is a new line here; the docs page lists them.
 */
interface ProblemType {
  readonly status:
    400 | 401 | 403 | 404 | 405 | 406 | 409 | 410 | 412 | 413 | 415 | 422 | 426 | 429 | 500 | 503;
  readonly title: string;
}

export const PROBLEM_CODES = {
  bad_request: { status: 400, title: "The request cannot be read" },
  empty_body: { status: 400, title: "The body is empty" },
  invalid_json: { status: 400, title: "The body is not JSON" },
  invalid_id: { status: 400, title: "Not an id" },
  invalid_query: { status: 400, title: "A query parameter is wrong" },
  invalid_header: { status: 400, title: "A header is wrong" },
  bad_filter: { status: 400, title: "The filter cannot be read" },
  bad_position: { status: 400, title: "Not a position" },
  unauthorized: { status: 401, title: "Not authorized" },
  token_expired: { status: 401, title: "The token has expired" },
  bad_ticket: { status: 401, title: "The ticket cannot be used" },
  forbidden: { status: 403, title: "Not allowed" },
  outside_pin: { status: 403, title: "Outside of what the token may touch" },
  origin_not_allowed: { status: 403, title: "Not from this origin" },
  not_found: { status: 404, title: "Not found" },
  method_not_allowed: { status: 405, title: "The method is not allowed here" },
  conflict: { status: 409, title: "In conflict with what is stored" },
  history_gone: { status: 410, title: "History does not reach back so far" },
  cursor_moved: { status: 409, title: "The log stands elsewhere" },
  precondition_failed: { status: 412, title: "The row changed meanwhile" },
  body_too_large: { status: 413, title: "The body is too large" },
  unsupported_media_type: { status: 415, title: "The body has to be JSON" },
  invalid_body: { status: 422, title: "The body does not fit" },
  invalid_value: { status: 422, title: "The database refused a value" },
  idempotency_key_reused: { status: 422, title: "The idempotency key belongs to another request" },
  upgrade_required: { status: 426, title: "A WebSocket is expected here" },
  too_many_sockets: { status: 429, title: "Too many connections" },
  too_many_requests: { status: 429, title: "Too many requests" },
  internal: { status: 500, title: "Something broke" },
  database_not_configured: { status: 503, title: "No database is configured" },
  database_not_migrated: { status: 503, title: "The database lacks its tables" },
  database_refused: { status: 503, title: "The database refuses the Worker" },
  database_unavailable: { status: 503, title: "The database does not answer" },
  database_busy: { status: 503, title: "The database is busy" },
  probe_timeout: { status: 503, title: "The probe did not come back" },
  unavailable: { status: 503, title: "Not available right now" },
} as const satisfies Record<string, ProblemType>;

export type ProblemCode = keyof typeof PROBLEM_CODES;
export type ProblemStatus = ProblemType["status"];
