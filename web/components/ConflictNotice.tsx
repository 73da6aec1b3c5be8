import type { Order } from "../../protocol/orders.ts";
import { changedFields, type Draft, type Field, toDraft } from "../state/draft.ts";
import { clip } from "../state/describe.ts";

interface Props {
  readonly was: Order;
  readonly is: Order;
  /** The fields in which what was typed differs from the row as it is. */
  readonly kept: readonly Field[];
  readonly onDiscard: () => void;
}

const LABELS: Record<Field, string> = {
  customer_name: "Customer",
  product_name: "Product",
  status: "Status",
  amount: "Amount",
};

/** Somebody changed the row while it was being edited: what it is now, and what saving again would do. */
export function ConflictNotice({ was, is, kept, onDiscard }: Props) {
  const before = toDraft(was);
  const after = toDraft(is);
  return (
    <div class="conflict" role="alert" data-testid="conflict">
      <p>This order was changed while you were editing it. It was not saved.</p>
      <ul>
        {changedFields(before, after).map((field) => (
          <li key={field}>
            {LABELS[field]} is now <strong>{text(after, field)}</strong>, it was {text(before, field)}
          </li>
        ))}
      </ul>
      {kept.length > 0 && (
        <p>
          Saving again writes your {kept.map((field) => LABELS[field].toLowerCase()).join(", ")} over it.{" "}
          <button type="button" class="button button-small" onClick={onDiscard}>
            Use the present values
          </button>
        </p>
      )}
    </div>
  );
}

function text(draft: Draft, field: Field): string {
  return draft[field] === "" ? "none" : clip(draft[field]);
}
