/** Saving what the order dialog holds, and what its failure means for the dialog. */
import { WriteRefused } from "../../client/index.ts";
import type { Order } from "../../protocol/orders.ts";
import { type FieldIssue, getOrder } from "../api.ts";
import { connection } from "./connection.ts";
import {
  changedFields,
  check,
  type Draft,
  type Field,
  FIELDS,
  pickFields,
  toDraft,
  toFields,
} from "./draft.ts";
import { orderNumber } from "./describe.ts";
import { findOrder } from "./orders.ts";
import { addOrder, changeOrder, type OrderWrite, tellElsewhere } from "./orders-writes.ts";

export interface Invalid {
  readonly kind: "invalid";
  readonly issues: ReadonlyMap<Field, string>;
  /** What belongs to none of the fields. */
  readonly message: string;
}

export type SaveResult =
  | { readonly kind: "saved"; readonly message: string }
  | { readonly kind: "unchanged" }
  | Invalid
  /** Somebody else was faster with one of the fields: the row as it is now. */
  | { readonly kind: "conflict"; readonly present: Order };

/** `base` is the row that was edited, null for a new order. Never throws. */
export async function save(draft: Draft, base: Order | null): Promise<SaveResult> {
  const wrong = check(draft);
  if (wrong.length > 0) return invalid(wrong);
  if (!base) return settle(addOrder(toFields(draft)), null);
  const changed = changedFields(toDraft(base), draft);
  if (changed.length === 0) return { kind: "unchanged" };
  const present = findOrder(base.id);
  if (!present) return invalid([], "This order was deleted meanwhile.");
  // the row has gone on live under the dialog: only where both changed the same field is it for a person to decide
  const overtaken = changedFields(toDraft(base), toDraft(present));
  if (overtaken.some((field) => changed.includes(field) && draft[field] !== toDraft(present)[field]))
    return { kind: "conflict", present };
  return settle(changeOrder(base.id, pickFields(draft, changed)), base);
}

/** Longer than this nobody should look at a dialog that says "Saving". */
const PATIENCE_MS = 4000;

/** Waits for the answer, so that what is wrong can be said at its field; but not for a server that cannot be reached. */
async function settle(write: OrderWrite, base: Order | null): Promise<SaveResult> {
  const answer = write.done.then(
    (order): SaveResult => ({
      kind: "saved",
      message: base ? `Order ${orderNumber(base.id)} saved.` : `Order #${order?.id ?? ""} created.`,
    }),
    (error: unknown) => failure(error, base),
  );
  const result = Promise.race([answer, unreachable()]);
  tellElsewhere(write, result);
  return result;
}

/** Resolves when the answer may be long in coming. */
function unreachable(): Promise<SaveResult> {
  return new Promise((resolve) => {
    const kept = () => {
      clearTimeout(timer);
      queueMicrotask(() => stop());
      resolve({ kind: "saved", message: "Kept here. It is sent as soon as the server can be reached." });
    };
    const timer = setTimeout(kept, PATIENCE_MS);
    const stop = connection.subscribe(({ name }) => {
      if (name === "waiting" || name === "offline") kept();
    });
  });
}

async function failure(error: unknown, base: Order | null): Promise<SaveResult> {
  if (!(error instanceof WriteRefused)) return invalid([], "Something went wrong here. Try again.");
  if (base && error.status === 404) return invalid([], "This order was deleted meanwhile.");
  if (base && error.status === 412) {
    const present = await getOrder(base.id).catch(() => null);
    if (present) return { kind: "conflict", present };
  }
  return invalid(error.issues, error.message);
}

/** Messages go to their fields; what belongs to none, or comes with none, is said above them. */
function invalid(issues: readonly FieldIssue[], message = ""): Invalid {
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
