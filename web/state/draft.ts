/** What a person is typing into the order dialog, and how it meets the row as it is. Pure. */
import type { FieldIssue, OrderFields } from "../api.ts";
import type { Order } from "../../protocol/orders.ts";

/** The fields as the dialog holds them; an empty amount stands for none. */
export interface Draft {
  readonly customer_name: string;
  readonly product_name: string;
  readonly status: Order["status"];
  readonly amount: string;
}

export type Field = keyof Draft;
export const FIELDS: readonly Field[] = ["customer_name", "product_name", "status", "amount"];

export const EMPTY_DRAFT: Draft = { customer_name: "", product_name: "", status: "pending", amount: "" };

export function toDraft(order: Order): Draft {
  const { customer_name, product_name, status, amount } = order;
  return { customer_name, product_name, status, amount: amount === null ? "" : String(amount) };
}

/** The amount as a number, null for none, undefined when the text is no number. */
export function parseAmount(text: string): number | null | undefined {
  const trimmed = text.trim();
  if (trimmed === "") return null;
  return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(trimmed) ? Number(trimmed) : undefined;
}

/** What can be said to be wrong without asking anybody. */
export function check({ customer_name, product_name, amount }: Draft): readonly FieldIssue[] {
  const issues: FieldIssue[] = [];
  if (customer_name.trim() === "")
    issues.push({ field: "customer_name", message: "Write whose order it is." });
  if (product_name.trim() === "") issues.push({ field: "product_name", message: "Write what is ordered." });
  const parsed = parseAmount(amount);
  if (parsed === undefined)
    issues.push({ field: "amount", message: "Write the amount as a number, such as 19.90." });
  else if (parsed !== null && parsed < 0)
    issues.push({ field: "amount", message: "An amount cannot be less than nothing." });
  return issues;
}

/** Which fields differ between two drafts. */
export function changedFields(before: Draft, after: Draft): readonly Field[] {
  return FIELDS.filter((field) => before[field] !== after[field]);
}

/** The draft as the API takes it; `amount` must be readable. */
export function toFields(draft: Draft): OrderFields {
  return { ...draft, amount: parseAmount(draft.amount) ?? null };
}

/** Just the fields named, so that a field nobody touched is never written over. */
export function pickFields(draft: Draft, fields: readonly Field[]): Partial<OrderFields> {
  const all = toFields(draft);
  return Object.fromEntries(fields.map((field) => [field, all[field]]));
}

/** After the row has changed from `base` to `present`: what was typed stays, the rest follows the row. */
export function followRow(draft: Draft, base: Draft, present: Draft): Draft {
  const typed = changedFields(base, draft);
  return { ...present, ...Object.fromEntries(typed.map((field) => [field, draft[field]])) };
}
