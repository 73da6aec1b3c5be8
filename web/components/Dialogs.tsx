import { openDialog } from "../state/dialogs.ts";
import { OrderDialog } from "./OrderDialog.tsx";

/** The dialog that is open; the key gives each opening a state of its own. */
export function Dialogs() {
  const open = openDialog.value;
  if (open === null) return null;
  if (open.kind === "new") return <OrderDialog key="new" order={null} />;
  return <OrderDialog key={open.order.id} order={open.order} />;
}
