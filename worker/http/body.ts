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

/** Of a body that turns out to be too large, so much more is taken and thrown away, within so many ms. */
const LINGER = { bytes: 4_194_304, ms: 2000 };

/**
 * The text of a request's body, kept no further than `maxBytes`.
 *
 * @throws {Problem} `body_too_large`, or `invalid_json` when it is not UTF-8.
 */
export async function readText(request: Request, maxBytes = MAX_BODY_BYTES): Promise<string> {
  // Not begun, a body is left to the platform, which takes it while the answer goes out.
  if (Number(request.headers.get("Content-Length") ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const reader = request.body?.getReader();
  if (reader === undefined) return "";
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  let text = "";
  let size = 0;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      size += next.value.byteLength;
      if (size > maxBytes) throw tooLarge(maxBytes);
      text += decoder.decode(next.value, { stream: true });
    }
    return text + decoder.decode();
  } catch (error) {
    await linger(reader);
    if (error instanceof TypeError) throw new Problem("invalid_json", "The body is not UTF-8.");
    throw error;
  }
}

/**
 * Takes the rest of a body that is refused. Begun and let go, it would break the connection under who is still sending,
 * and the answer with it; so web servers linger too (nginx: lingering_close). Who sends on and on is cut off all the same.
 */
async function linger(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), LINGER.ms);
  });
  for (let size = 0; size < LINGER.bytes;) {
    const next = await Promise.race([reader.read(), late]).catch(() => null);
    if (next === null || next.done) break;
    size += next.value.byteLength;
  }
  clearTimeout(timer);
  await reader.cancel().catch(() => undefined); // it may have broken meanwhile, which is nobody's loss
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
