import type { OrderStatus } from "../../protocol/orders.ts";

/** A status with a disc that fills as the order gets on. */
export function StatusMark({ status }: { readonly status: OrderStatus }) {
  return (
    <span class="status" data-status={status}>
      <span class="status-disc" aria-hidden="true" />
      <span class="status-word">{status}</span>
    </span>
  );
}
