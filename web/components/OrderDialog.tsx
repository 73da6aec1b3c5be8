import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Order } from "../../protocol/orders.ts";
import { closeDialog } from "../state/dialogs.ts";
import { orderNumber } from "../state/describe.ts";
import { changedFields, EMPTY_DRAFT, type Field, FIELDS, followRow, toDraft } from "../state/draft.ts";
import { save } from "../state/save.ts";
import { notify } from "../state/toasts.ts";
import { ORDER_STATUSES } from "../../protocol/order-status.ts";
import { ConflictNotice } from "./ConflictNotice.tsx";
import { InputField, SelectField } from "./Field.tsx";
import { Modal } from "./Modal.tsx";

/** Creates an order, or edits one. */
export function OrderDialog({ order }: { readonly order: Order | null }) {
  const base = useSignal(order);
  const draft = useSignal(order ? toDraft(order) : EMPTY_DRAFT);
  const issues = useSignal<ReadonlyMap<Field, string>>(new Map());
  const message = useSignal("");
  /** The row before somebody else changed it. */
  const overtaken = useSignal<Order | null>(null);
  const isBusy = useSignal(false);
  const form = useRef<HTMLFormElement>(null);

  const submit = async () => {
    isBusy.value = true;
    const result = await save(draft.value, base.value);
    isBusy.value = false;
    issues.value = new Map();
    message.value = "";
    switch (result.kind) {
      case "saved":
        closeDialog();
        notify({ text: result.message, tone: "success" });
        return;
      case "unchanged":
        closeDialog();
        return;
      case "conflict":
        if (base.value) draft.value = followRow(draft.value, toDraft(base.value), toDraft(result.present));
        overtaken.value = base.value;
        base.value = result.present;
        return;
      case "invalid":
        issues.value = result.issues;
        message.value = result.message;
        focusFirst(form.current, result.issues);
    }
  };

  const field = (name: Field) => ({
    name,
    value: draft.value[name],
    issue: issues.value.get(name),
    onInput: (value: string) => {
      draft.value = { ...draft.value, [name]: value };
    },
  });

  const present = base.value;
  return (
    <Modal labelledBy="order-dialog-title" onClose={closeDialog}>
      <form
        ref={form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!isBusy.value) void submit();
        }}
      >
        <h2 id="order-dialog-title">{order ? `Edit order ${orderNumber(order.id)}` : "New order"}</h2>
        {message.value !== "" && (
          <p class="form-message" role="alert">
            {message.value}
          </p>
        )}
        {overtaken.value && present && (
          <ConflictNotice
            was={overtaken.value}
            is={present}
            kept={changedFields(toDraft(present), draft.value)}
            onDiscard={() => {
              draft.value = toDraft(present);
              overtaken.value = null;
            }}
          />
        )}
        <InputField label="Customer" {...field("customer_name")} autoFocus />
        <InputField label="Product" {...field("product_name")} />
        <div class="field-pair">
          <SelectField label="Status" options={ORDER_STATUSES} {...field("status")} />
          <InputField label="Amount" hint="optional" {...field("amount")} inputMode="decimal" />
        </div>
        <div class="dialog-actions">
          <button type="button" class="button" onClick={closeDialog}>
            Cancel
          </button>
          <button type="submit" class="button button-primary" aria-disabled={isBusy.value}>
            {isBusy.value ? "Saving…" : order ? "Save changes" : "Create order"}
          </button>
        </div>
      </form>
    </Modal>
  );
}

function focusFirst(form: HTMLFormElement | null, issues: ReadonlyMap<Field, string>): void {
  const first = FIELDS.find((name) => issues.has(name));
  const element = first && form?.elements.namedItem(first);
  if (element instanceof HTMLElement) element.focus();
}
