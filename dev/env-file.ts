/** Writing what dotenv reads. */
import type { Variables } from "./config.ts";

/**
 * The variables as an .env file for wrangler, which expands `$name` in values whatever their quotes.
 *
 * @throws {RangeError} for a value that such a file cannot hold: with a line break, or with both kinds of quotes and a
 * backtick.
 */
export function formatEnvFile(variables: Variables): string {
  return Object.entries(variables)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${quote(name, value)}\n`]))
    .join("");
}

function quote(name: string, value: string): string {
  const mark = ["'", "`", '"'].find((candidate) => !value.includes(candidate));
  if (mark === undefined || value.includes("\n")) {
    throw new RangeError(`the value of ${name} cannot be written into an .env file`);
  }
  return mark + value.replaceAll("$", String.raw`\$`) + mark;
}
