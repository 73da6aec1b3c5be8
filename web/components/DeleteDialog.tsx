import { useComputed, useSignal } from "@preact/signals";
import type { Order } from "../../protocol/orders.ts";
import { ApiProblem, deleteOrder } from "../api.ts";
import { clip } from "../state/describe.ts";
import { closeDialog } from "../state/dialogs.ts";
import { findOrder, orders } from "../state/orders.ts";
import { showToast } from "../state/toasts.ts";
import { Modal } from "./Modal.tsx";
import { StatusMark } from "./StatusMark.tsx";

/** Asks before an order is deleted, and shows it as it is at that moment. */
export function DeleteDialog({ order }: { readonly order: Order }) {
  const isBusy = useSignal(false);
  const failure = useSignal("");
  const present = useComputed(() => (orders.value, findOrder(order.id)));
  const { customer_name, product_name, status } = present.value ?? order;

  const confirm = async () => {
    isBusy.value = true;
    try {
      await deleteOrder(order.id);
      closeDialog();
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 404) {
        closeDialog();
        showToast(`Order #${order.id} was deleted already.`);
      } else failure.value = error instanceof ApiProblem ? error.message : "Something went wrong here.";
    } finally {
      isBusy.value = false;
    }
  };

  return (
    <Modal labelledBy="delete-title">
      <h2 id="delete-title">Delete order #{order.id}?</h2>
      <p class="delete-what">
        {clip(customer_name)}, {clip(product_name)}, <StatusMark status={status} />
      </p>
      <p class="delete-hint">It goes for everybody, and cannot be brought back.</p>
      {present.value === undefined && !isBusy.value && (
        <p class="form-message">Somebody else has deleted it already.</p>
      )}
      {failure.value !== "" && (
        <p class="form-message" role="alert">
          {failure.value}
        </p>
      )}
      <div class="dialog-actions">
        <button type="button" class="button" onClick={closeDialog} autoFocus>
          Keep it
        </button>
        <button
          type="button"
          class="button button-danger"
          disabled={isBusy.value}
          onClick={() => void confirm()}
        >
          Delete
        </button>
      </div>
    </Modal>
  );
}
