/** Saving what the order dialog holds: which call it takes, and what its failure means for the dialog. */
import { ApiProblem, createOrder, type FieldIssue, getOrder, updateOrder, type Written } from "../api.ts";
import type { Order } from "../../protocol/orders.ts";
import { client, connection } from "./connection.ts";
import {
  changedFields,
  type Draft,
  type Field,
  FIELDS,
  parseAmount,
  pickFields,
  toDraft,
  toFields,
} from "./draft.ts";

export type SaveResult =
  | { readonly kind: "saved"; readonly message: string }
  | { readonly kind: "unchanged" }
  | { readonly kind: "invalid"; readonly issues: ReadonlyMap<Field, string>; readonly message: string }
  /** Somebody else was faster: the row as it is now. */
  | { readonly kind: "conflict"; readonly present: Order };

/** Keeps the key of a request that may have arrived, for as long as the same thing is sent again. */
export interface Retry {
  body: string;
  key: string;
}

/** `base` is the row that was edited, null for a new order. Never throws. */
export async function save(draft: Draft, base: Order | null, retry: Retry): Promise<SaveResult> {
  if (parseAmount(draft.amount) === undefined)
    return invalid([{ field: "amount", message: "Write the amount as a number, such as 19.90." }]);
  const changed = base ? changedFields(toDraft(base), draft) : FIELDS;
  if (base && changed.length === 0) return { kind: "unchanged" };
  try {
    const written = base
      ? await updateOrder(base.id, pickFields(draft, changed), base.updated_at)
      : await createOrder(toFields(draft), keyFor(draft, retry));
    await appeared(written);
    const done = `Order #${written.data.id} ${base ? "saved" : "created"}.`;
    const isLive = connection.value.name === "live";
    return {
      kind: "saved",
      message: isLive ? done : `${done} It shows here once the connection is back.`,
    };
  } catch (error) {
    return failure(error, base);
  }
}

async function failure(error: unknown, base: Order | null): Promise<SaveResult> {
  if (!(error instanceof ApiProblem)) return invalid([], "Something went wrong here. Try again.");
  if (base && error.status === 404) return invalid([], "This order was deleted meanwhile.");
  if (base && error.status === 412) {
    try {
      return { kind: "conflict", present: await getOrder(base.id) };
    } catch (again) {
      return failure(again, base);
    }
  }
  return invalid(error.issues, error.message);
}

/** Messages go to their fields; what belongs to none, or comes with none, is said above them. */
function invalid(issues: readonly FieldIssue[], message = ""): SaveResult {
  const atFields = new Map<Field, string>();
  const elsewhere: string[] = [];
  for (const { field, message: text } of issues) {
    const known = FIELDS.find((name) => name === field);
    if (!known) elsewhere.push(text);
    else if (!atFields.has(known)) atFields.set(known, text);
  }
  return {
    kind: "invalid",
    issues: atFields,
    message: atFields.size > 0 ? elsewhere.join(" ") : message || elsewhere.join(" "),
  };
}

/** Longer than this nobody waits to see a row that is saved already. */
const APPEAR_MS = 1500;

/** Waits until the stream has brought the write, so that the dialog closes upon a table that shows it. */
async function appeared({ xid }: Written): Promise<void> {
  if (connection.value.name !== "live") return;
  await Promise.race([client.seen(xid), new Promise((resolve) => setTimeout(resolve, APPEAR_MS))]);
}

function keyFor(draft: Draft, retry: Retry): string {
  const body = JSON.stringify(draft);
  if (retry.body !== body) {
    // not randomUUID: browsers have that only under https and on localhost
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    retry.key = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    retry.body = body;
  }
  return retry.key;
}
