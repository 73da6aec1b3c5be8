import { openDialog } from "../state/dialogs.ts";
import { DeleteDialog } from "./DeleteDialog.tsx";
import { OrderDialog } from "./OrderDialog.tsx";

/** The dialog that is open; the key gives each opening a state of its own. */
export function Dialogs() {
  const open = openDialog.value;
  if (open === null) return null;
  if (open.kind === "new") return <OrderDialog key="new" order={null} />;
  const { kind, order } = open;
  const key = `${kind}-${order.id}`;
  return kind === "edit" ? <OrderDialog key={key} order={order} /> : <DeleteDialog key={key} order={order} />;
}
