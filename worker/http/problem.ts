/** Errors as answers: RFC 9457 `application/problem+json`. The one place that turns what was thrown into HTTP. */
import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import * as v from "valibot";
import { FilterError } from "../../protocol/filter-address.ts";
import { describeDatabaseFailure } from "../database/failure-problem.ts";
import { DatabaseError, DatabaseUnavailable } from "../database/failure.ts";
import type { AppEnv } from "./app-env.ts";
import { PROBLEM_CODES, type ProblemCode, type ProblemStatus } from "./problem-codes.ts";
import { logError } from "./log-error.ts";

/** What is wrong with one field, parameter or header; `field` is empty when it is the whole. */
export const Issue = v.object({ field: v.string(), message: v.string() });
export type Issue = v.InferOutput<typeof Issue>;

/** The body of every error answer. */
export const ProblemBody = v.object({
  success: v.literal(false),
  type: v.pipe(v.string(), v.description("Address of the code's explanation")),
  code: v.picklist(Object.keys(PROBLEM_CODES)),
  title: v.string(),
  status: v.number(),
  detail: v.string(),
  instance: v.pipe(v.string(), v.description("The path that was asked for")),
  request_id: v.optional(
    v.pipe(v.string(), v.description("X-Request-Id of the answer: the log names it too, so quote it")),
  ),
  issues: v.array(Issue),
});

export interface ProblemOptions {
  readonly issues?: readonly Issue[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Members of the body beyond the standard ones (RFC 9457, 3.2). */
  readonly members?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** Thrown anywhere below a route; becomes the answer. `detail` is shown to the caller: no secrets, no stack. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly code: ProblemCode;
  readonly status: ProblemStatus;
  readonly title: string;
  readonly detail: string;
  readonly issues: readonly Issue[];
  readonly headers: Readonly<Record<string, string>>;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail, { cause: options.cause });
    this.code = code;
    this.status = PROBLEM_CODES[code].status;
    this.title = PROBLEM_CODES[code].title;
    this.detail = detail;
    this.issues = options.issues ?? [];
    this.headers = options.headers ?? {};
    this.members = options.members ?? {};
  }
}

/**
 * The answer for anything that was thrown. What is nobody's fault but ours (5xx) is logged with its cause; the caller
 * sees only the code and what to do.
 *
 * @param instance the path that was asked for.
 * @param requestId what the log line and the answer have in common.
 */
export function problemResponse(error: unknown, instance: string, requestId?: string): Response {
  const problem = toProblem(error);
  const { code, title, status, detail, issues } = problem;
  if (status >= 500) logError("request_failed", error, { code, answered: status, path: instance, requestId });
  const body = {
    ...problem.members,
    success: false,
    type: `/api/docs#${code}`,
    code,
    title,
    status,
    detail,
    instance,
    request_id: requestId, // left out of the JSON where there is none
    issues,
  };
  return new Response(JSON.stringify(body), {
    status,
    headers: { "Cache-Control": "no-store", ...problem.headers, "Content-Type": "application/problem+json" },
  });
}

/** For `app.onError`. */
export function onError(error: Error, c: Context<AppEnv>): Response {
  return problemResponse(error, c.req.path, c.get("requestId"));
}

/** For `app.notFound`. */
export function notFound(c: Context<AppEnv>): Response {
  return problemResponse(
    new Problem(
      "not_found",
      `There is nothing at ${c.req.path.slice(0, 200)}; /api/docs lists what there is.`,
    ),
    c.req.path,
    c.get("requestId"),
  );
}

function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof FilterError) {
    return new Problem("bad_filter", error.message, {
      issues: [{ field: error.field, message: error.message }],
    });
  }
  if (error instanceof DatabaseError || error instanceof DatabaseUnavailable) {
    const { code, detail, field, retryAfterSeconds } = describeDatabaseFailure(error);
    return new Problem(code, detail, {
      ...(field !== undefined && { issues: [{ field, message: detail }] }),
      ...(retryAfterSeconds !== undefined && { headers: { "Retry-After": String(retryAfterSeconds) } }),
      cause: error,
    });
  }
  // Hono's own middleware throws these, with a message that is meant for the caller.
  if (error instanceof HTTPException && error.status < 500) {
    return new Problem(codeOfStatus(error.status), error.message || "The request cannot be answered.");
  }
  return new Problem("internal", "Something broke on our side; it has been logged.", { cause: error });
}

function codeOfStatus(status: number): ProblemCode {
  const codes = Object.keys(PROBLEM_CODES) as ProblemCode[];
  return codes.find((code) => PROBLEM_CODES[code].status === status) ?? "bad_request";
}
