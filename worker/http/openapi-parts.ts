/** What the OpenAPI description is put together from. */
import { toJsonSchema } from "@valibot/to-json-schema";
import type * as v from "valibot";
import { PROBLEM_CODES, type ProblemStatus } from "./problem-codes.ts";
import { MAX_NAME_CHARACTERS, withinNameLength } from "../orders/schemas.ts";

export type Json = Record<string, unknown>;

export interface Operation {
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Json;
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Json }>>;
}

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly description: string;
  readonly schema: Json;
}

export const int = (minimum: number, maximum: number, more: Json = {}) => ({
  type: "integer",
  minimum,
  maximum,
  ...more,
});

export const text = { type: "string" };

/**
 * The answers of an operation when something is wrong, a status each with the codes that may come. Beyond these, 405
 * comes for every method that is not described, and 500 is our fault and described nowhere.
 */
export function problems(...statuses: readonly ProblemStatus[]) {
  return Object.fromEntries(
    statuses.map((status) => {
      const codes = Object.entries(PROBLEM_CODES).filter(([, type]) => type.status === status);
      const description = codes.map(([code, { title }]) => `\`${code}\`: ${title}`).join("; ");
      return [status, { description, content: { "application/problem+json": { schema: ref("Problem") } } }];
    }),
  );
}

/** Of whoever may not, or not so often. */
export const ACCESS = [401, 403, 429] as const;
/** A schema of ours as JSON Schema. */
export function toSchema(schema: v.GenericSchema): Json {
  const { $schema: _, ...json } = toJsonSchema(schema, {
    target: "draft-2020-12",
    typeMode: "input",
    // A check that is a function has no counterpart; the one that does is given here.
    errorMode: "ignore",
    overrideAction: ({ valibotAction, jsonSchema }) =>
      (valibotAction as unknown) === withinNameLength
        ? { ...jsonSchema, maxLength: MAX_NAME_CHARACTERS }
        : undefined,
  });
  return json;
}

/** A reference to one of the document's shapes. */
export function ref(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
}

export function content(schema: Json) {
  return { content: { "application/json": { schema } } };
}

export function body(name: string): Json {
  return { required: true, ...content(ref(name)) };
}

/** An answer of the API: `success` and the given members, all of them there; or one of the problems. */
export function answers(
  status: string,
  description: string,
  members: Json,
  statuses: readonly ProblemStatus[],
) {
  const properties = { success: { const: true }, ...members };
  const schema = { type: "object", required: Object.keys(properties), properties };
  return { [status]: { description, ...content(schema) }, ...problems(...statuses) };
}
