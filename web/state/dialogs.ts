/** Which dialog is open. */
import { signal } from "@preact/signals";
import type { Order } from "../../protocol/orders.ts";

export type OpenDialog = { readonly kind: "new" } | { readonly kind: "edit"; readonly order: Order } | null;

export const openDialog = signal<OpenDialog>(null);

export function closeDialog(): void {
  openDialog.value = null;
}

export function editOrder(order: Order): void {
  openDialog.value = { kind: "edit", order };
}
