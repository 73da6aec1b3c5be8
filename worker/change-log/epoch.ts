/** Ten random characters: with a new epoch now and then, two never meet. */
export function newEpoch(): string {
  const random = crypto.getRandomValues(new Uint8Array(10));
  return Array.from(random, (byte) => (byte % 36).toString(36)).join("");
}
