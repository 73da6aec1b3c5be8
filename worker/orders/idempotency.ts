/** Idempotency-Key: whose it is, and which request it stands for. What it does is in write.ts. */
import type { Filter } from "../../protocol/filter.ts";
import type { Access } from "../access/access.ts";
import { sha256Hex } from "../hash.ts";
import { Problem } from "../http/problem.ts";

/** A request that is to be carried out once, however often it comes. */
export interface Once {
  /** The key as it is stored: nobody gets another's answer by guessing. */
  readonly key: string;
  /** Of what is asked: the same key may not come with anything else. */
  readonly fingerprint: string;
}

/**
 * @param key the header; undefined when there is none.
 * @param request the method, what it is about, and what its body means: how that was spelled, and a default written out,
 *   make no difference.
 * @returns null without a key.
 * @throws {Problem} `invalid_header` when it is no key.
 */
export async function onceOf(
  key: string | undefined,
  access: Pick<Access, "subject" | "pin">,
  request: readonly unknown[],
): Promise<Once | null> {
  if (key === undefined) return null;
  if (!/^[\x20-\x7e]{1,255}$/.test(key)) {
    const message = "has to be 1 to 255 printable ASCII characters";
    throw new Problem("invalid_header", `Idempotency-Key ${message}.`, {
      issues: [{ field: "Idempotency-Key", message }],
    });
  }
  // Several tokens may have one subject, or none, and yet see different orders.
  const bearer = await digest([access.subject, access.pin && inOrder(access.pin)]);
  return { key: `${bearer} ${key}`, fingerprint: await digest(request) };
}

/** The same for two pins that let the same pass. */
function inOrder(pin: Filter): unknown {
  return Object.entries(pin)
    .map(([table, columns]) => [
      table,
      Object.entries(columns)
        .map(([column, values]) => [column, values.map((value) => JSON.stringify(value)).toSorted()])
        .toSorted(byName),
    ])
    .toSorted(byName);
}

function byName([a]: unknown[], [b]: unknown[]): number {
  return String(a) < String(b) ? -1 : 1;
}

function digest(value: unknown): Promise<string> {
  return sha256Hex(JSON.stringify(value));
}
