/** The one menu of statuses: of a row, or for all that are selected. */
import { signal } from "@preact/signals";
import type { OrderStatus } from "../../protocol/orders.ts";

export interface StatusMenuRequest {
  /** The button that it belongs to. */
  readonly anchor: HTMLElement;
  readonly label: string;
  readonly current: OrderStatus | null;
  readonly pick: (status: OrderStatus) => void;
}

export const statusMenu = signal<StatusMenuRequest | null>(null);

export function openStatusMenu(request: StatusMenuRequest): void {
  statusMenu.value = request;
}
