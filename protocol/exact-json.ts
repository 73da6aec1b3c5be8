/**
 * JSON in and out without loss. Postgres writes bigint and numeric as JSON numbers with every digit; a JavaScript number
 * keeps 15 to 17 of them. Text that will be encoded again is therefore read with `parseExact`, which keeps a number that
 * a double cannot hold as a raw number, so that `JSON.stringify` writes the digits that came in.
 * (ECMAScript's "JSON.parse source text access": V8 11.4 and newer, so Node 22, workerd and today's browsers.)
 */

interface RawNumber {
  readonly rawJSON: string;
}

const json = JSON as unknown as {
  parse(
    text: string,
    reviver: (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): RawNumber;
  /** Absent in browsers before 2025, which then never made one. */
  isRawJSON?(value: unknown): value is RawNumber;
};

/**
 * Only a number that begins with so many digits and dots may be one that a double does not hold exactly. A number follows
 * `[`, a comma, or a name and its colon; digits within a string, of which identifiers are full, do not send a text the slow way.
 */
const MAYBE_INEXACT = /(?:^|[[,]|"\s*:)\s*-?[0-9.]{16}/;

/**
 * `JSON.parse`, but numbers that would lose digits become raw numbers. The slow way through a reviver is taken only when
 * a number of 16 digits may be in the text.
 *
 * @throws {SyntaxError} when the text is not JSON.
 */
export function parseExact(text: string): unknown {
  if (!MAYBE_INEXACT.test(text)) return JSON.parse(text);
  return json.parse(text, (_key, value, { source }) =>
    typeof value === "number" && source !== undefined && !isExact(value, source)
      ? json.rawJSON(source)
      : value,
  );
}

/** The text of a JSON scalar as filters compare it: digits as they were written, strings without quotes, null as null. */
export function scalarText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "string") return value;
  if (json.isRawJSON?.(value)) return value.rawJSON;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : JSON.stringify(value);
}

function isExact(value: number, source: string): boolean {
  if (!Number.isFinite(value)) return false;
  const text = String(value);
  return text === source || text === withoutTrailingZeros(source);
}

function withoutTrailingZeros(source: string): string {
  return source.includes(".") ? source.replace(/\.?0+$/, "") : source;
}
