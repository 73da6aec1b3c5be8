/** Reading JSON bodies: type, size, encoding, syntax, each with its own code. */
import { Problem } from "./problem.ts";

/** Far above what an order or a thousand ids need. */
export const MAX_BODY_BYTES = 65_536;

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;

/**
 * The JSON value of a request's body.
 *
 * @throws {Problem} `unsupported_media_type`, `body_too_large`, `empty_body` or `invalid_json`.
 */
export async function readJson(request: Request): Promise<unknown> {
  const type = request.headers.get("Content-Type");
  if (type !== null && !JSON_TYPE.test(type)) throw wrongType(type);
  const text = await readText(request);
  if (text.trim() === "") throw new Problem("empty_body", "The body is empty; it should be a JSON object.");
  if (type === null) throw wrongType("none");
  try {
    return JSON.parse(text);
  } catch (error) {
    // V8 quotes some of the input in the message: bounded, and the caller's own.
    throw new Problem(
      "invalid_json",
      `The body is not JSON: ${(error as SyntaxError).message.slice(0, 200)}`,
    );
  }
}

/**
 * The text of a request's body, read no further than `maxBytes`.
 *
 * @throws {Problem} `body_too_large`, or `invalid_json` when it is not UTF-8.
 */
export async function readText(request: Request, maxBytes = MAX_BODY_BYTES): Promise<string> {
  if (Number(request.headers.get("Content-Length") ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  let text = "";
  let size = 0;
  try {
    for await (const chunk of request.body ?? []) {
      size += chunk.byteLength;
      // Leaving the loop cancels the stream: a body without a length is not read to its end.
      if (size > maxBytes) throw tooLarge(maxBytes);
      text += decoder.decode(chunk, { stream: true });
    }
    return text + decoder.decode();
  } catch (error) {
    if (error instanceof TypeError) throw new Problem("invalid_json", "The body is not UTF-8.");
    throw error;
  }
}

function tooLarge(maxBytes: number): Problem {
  return new Problem("body_too_large", `The body is larger than ${maxBytes} bytes.`);
}

function wrongType(type: string): Problem {
  return new Problem(
    "unsupported_media_type",
    `The body has to come with "Content-Type: application/json", not ${type.slice(0, 100)}.`,
    { issues: [{ field: "Content-Type", message: "has to be application/json" }] },
  );
}
