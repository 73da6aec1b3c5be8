/** From requests to checked values: middleware that hangs what a schema lets through on the request. */
import type { MiddlewareHandler } from "hono";
import * as v from "valibot";
import type { AppEnv } from "./app-env.ts";
import { readJson } from "./body.ts";
import { type Issue, Problem } from "./problem.ts";
import type { ProblemCode } from "./problem-codes.ts";

const MAX_ISSUES = 20;
const MAX_NAME_CHARACTERS = 100;

type Middleware<Target extends string, S extends v.GenericSchema> = MiddlewareHandler<
  AppEnv,
  string,
  { in: { [K in Target]: v.InferInput<S> }; out: { [K in Target]: v.InferOutput<S> } }
>;

/** A JSON object in the body, then `c.req.valid("json")`. */
export function jsonBody<S extends v.GenericSchema<unknown, object>>(schema: S): Middleware<"json", S> {
  return async (c, next) => {
    const value = await readJson(c.req.raw);
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      const message = "the body has to be a JSON object";
      throw new Problem("invalid_body", message, { issues: [{ field: "", message }] });
    }
    c.req.addValidatedData("json", check(schema, value, "invalid_body"));
    await next();
  };
}

/** The query parameters that the schema knows, others are ignored; then `c.req.valid("query")`. A repeated one is a list. */
export function queryParams<S extends v.ObjectSchema<v.ObjectEntries, undefined>>(
  schema: S,
): Middleware<"query", S> {
  return async (c, next) => {
    const search = new URL(c.req.url).searchParams;
    const given: Record<string, string | string[]> = {};
    for (const name of Object.keys(schema.entries)) {
      const [first, ...more] = search.getAll(name);
      if (first !== undefined) given[name] = more.length > 0 ? [first, ...more] : first;
    }
    c.req.addValidatedData("query", check(schema, given, "invalid_query"));
    await next();
  };
}

/** The parameters of the path, then `c.req.valid("param")`. */
export function pathParams<S extends v.GenericSchema<unknown, object>>(
  schema: S,
  code: ProblemCode,
): Middleware<"param", S> {
  return async (c, next) => {
    c.req.addValidatedData("param", check(schema, c.req.param(), code));
    await next();
  };
}

/**
 * Only a WebSocket's upgrade goes on.
 *
 * @param detail what to do instead.
 */
export function requireUpgrade(detail: string): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    if (c.req.header("Upgrade")?.toLowerCase() === "websocket") return next();
    throw new Problem("upgrade_required", detail, {
      headers: { Upgrade: "websocket", Connection: "Upgrade" },
    });
  };
}

/** Refuses other methods with 405, and answers OPTIONS; stands before the routes of its path. */
export function allowMethods(...methods: readonly string[]): MiddlewareHandler<AppEnv> {
  const allowed = methods.includes("GET") ? [...methods, "HEAD", "OPTIONS"] : [...methods, "OPTIONS"];
  const headers = { Allow: allowed.join(", ") };
  return async (c, next) => {
    if (c.req.method === "OPTIONS") return c.body(null, 204, headers);
    if (allowed.includes(c.req.method)) return next();
    throw new Problem("method_not_allowed", `${c.req.method} is not allowed here, only ${headers.Allow}.`, {
      headers,
    });
  };
}

/**
 * What the schema makes of the value.
 *
 * @throws {Problem} with the code and one issue for each field that is wrong.
 */
export function check<S extends v.GenericSchema<unknown, object>>(
  schema: S,
  value: unknown,
  code: ProblemCode,
): v.InferOutput<S> {
  const result = v.safeParse(schema, value, { abortPipeEarly: true });
  if (result.success) return result.output;
  const issues = result.issues.slice(0, MAX_ISSUES).map(toIssue);
  const detail = issues.map(({ field, message }) => (field ? `${field}: ${message}` : message)).join("; ");
  throw new Problem(code, detail, { issues });
}

function toIssue(issue: v.BaseIssue<unknown>): Issue {
  return { field: (v.getDotPath(issue) ?? "").slice(0, MAX_NAME_CHARACTERS), message: issue.message };
}
