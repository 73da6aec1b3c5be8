/** From where a request comes, without keeping the address itself: counted, never read again. */
import { sha256Hex } from "../hash.ts";

/** A hash of the caller's address; empty where none is known. */
export async function addressOf(request: Request): Promise<string> {
  const address = request.headers.get("CF-Connecting-IP");
  if (address === null) return "";
  // An IPv6 customer has at least a /64: that is the one who is counted.
  const counted = address.includes(":") ? expand(address).slice(0, 4).join(":") : address;
  return sha256Hex(counted, 8);
}

/** The eight groups of an IPv6 address. */
function expand(address: string): string[] {
  const [head = "", tail] = address.split("::");
  const left = head === "" ? [] : head.split(":");
  if (tail === undefined) return left;
  const right = tail === "" ? [] : tail.split(":");
  return [
    ...left,
    ...Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => "0"),
    ...right,
  ];
}
