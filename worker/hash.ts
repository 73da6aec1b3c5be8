/** Hashes as text: of what is compared or counted, and need not be read again. */

/** SHA-256 of UTF-8, in lower-case hexadecimal; the first `bytes` of its 32. */
export async function sha256Hex(text: string, bytes = 32): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest, 0, bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
