/**
 * Holds answers against the OpenAPI description: what is sent must be described, in status, type and shape. Used by the
 * tests of the API and of the whole, so that the description cannot say anything else than what happens.
 */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormatsModule from "ajv-formats";

type Schema = Readonly<Record<string, unknown>>;
interface Described {
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
}
interface Operation {
  readonly responses: Readonly<Record<string, Described>>;
}
export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

export interface Sent {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly status: number;
  /** Of the answer; null for none. */
  readonly contentType: string | null;
  /** Its text; null where it has not been read, as of a stream. */
  readonly text: string | null;
}

export type Check = (sent: Sent) => void;

// The module is CommonJS: what is default depends on who loads it.
const addFormats = addFormatsModule as unknown as (ajv: Ajv2020) => void;

/** A check against this description. It throws an `Error` that says what is not described. */
export function describedBy({ paths, components }: OpenApi): Check {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats(ajv);
  const compiled = new Map<Schema, ValidateFunction>();
  const templates = Object.keys(paths)
    .toSorted((a, b) => a.split("{").length - b.split("{").length)
    .map((path) => ({ path, pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`) }));
  const problem: Described = {
    content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
  };

  function find({ method, path, status }: Sent): Described | null {
    const found = templates.find(({ pattern }) =>
      pattern.test(path.replace(/^\/orders(?=\/|$)/, "/api/orders")),
    );
    const operation = paths[found?.path ?? ""]?.[method === "HEAD" ? "get" : method.toLowerCase()];
    if (operation) return operation.responses[String(status)] ?? null;
    // No such path or method: that needs no description, and whoever may not come in is told that first.
    return [401, 403, 429, found ? 405 : 404].includes(status) ? problem : null;
  }

  function validate(schema: Schema, body: unknown): string | null {
    let check = compiled.get(schema);
    if (!check) compiled.set(schema, (check = ajv.compile({ ...schema, components })));
    if (!check(body)) return ajv.errorsText(check.errors);
    // Clients must take members they do not know, so the schema allows them; tests want them described.
    const { properties } = schema as { properties?: object };
    const unknown = properties ? Object.keys(body as object).filter((name) => !(name in properties)) : [];
    return unknown.length > 0 ? `undescribed members: ${unknown.join(", ")}` : null;
  }

  return (sent) => {
    const { method, path, status, contentType, text } = sent;
    const what = `${method} ${path} answered ${status} ${contentType ?? ""}`;
    // The listener's own (docs/protocol.md), and preflights.
    if (path.startsWith("/internal/") || (method === "OPTIONS" && status === 204)) return;
    const described = find(sent);
    if (!described) throw new Error(`${what}, which the description does not know`);
    const type = contentType?.split(";")[0]?.trim() ?? "";
    if (!described.content) {
      if (text !== null && text !== "") throw new Error(`${what} with a body, described without`);
      return;
    }
    const media = described.content[type];
    if (!media) throw new Error(`${what}, described as ${Object.keys(described.content).join(", ")}`);
    if (!media.schema || text === null || method === "HEAD") return;
    const fault = validate(media.schema, JSON.parse(text));
    if (fault !== null)
      throw new Error(`${what}, which is not as described: ${fault}\n${text.slice(0, 1000)}`);
  };
}

const checks = new Map<string, Promise<Check>>();

/** The check against what the Worker at this origin says of itself; it is asked once. */
export function describedAt(origin: string): Promise<Check> {
  let check = checks.get(origin);
  if (!check) {
    check = fetch(`${origin}/api/openapi.json`).then(async (answer) =>
      describedBy((await answer.json()) as OpenApi),
    );
    checks.set(origin, check);
  }
  return check;
}

/** `fetch` from a Worker: fails when the answer is not as the Worker describes it. */
export async function fetchDescribed(address: string, init: RequestInit = {}): Promise<Response> {
  const { origin, pathname } = new URL(address);
  const response = await fetch(address, init);
  const contentType = response.headers.get("content-type");
  const isStream = contentType?.startsWith("text/event-stream") ?? false;
  const check = await describedAt(origin);
  check({
    method: init.method ?? "GET",
    path: pathname,
    status: response.status,
    contentType,
    text: isStream ? null : await response.clone().text(),
  });
  return response;
}
