/** Hashes: of what is compared or counted, and need not be read again. */

/** SHA-256 of UTF-8. */
export function sha256(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
}

/** The same in lower-case hexadecimal; the first `bytes` of its 32. */
export async function sha256Hex(text: string, bytes = 32): Promise<string> {
  return Array.from(new Uint8Array(await sha256(text), 0, bytes), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}
