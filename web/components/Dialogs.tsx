import { signal } from "@preact/signals";
import { closeDialog, openDialog } from "../state/dialogs.ts";
import { notify } from "../state/toasts.ts";
import type { OrderDialog } from "./OrderDialog.tsx";

/** Not part of the first view; fetched when that has settled, so that it is there at a click, and without a network. */
const PRELOAD_MS = 1500;

const loaded = signal<{ readonly Dialog: typeof OrderDialog } | null>(null);

async function load(): Promise<void> {
  if (loaded.peek()) return;
  const { OrderDialog: Dialog } = await import("./OrderDialog.tsx");
  loaded.value = { Dialog };
}

setTimeout(() => void load().catch(() => undefined), PRELOAD_MS); // a click asks again, and says so

/** The dialog that is open; the key gives each opening a state of its own. */
export function Dialogs() {
  const open = openDialog.value;
  const dialog = loaded.value;
  if (open === null) return null;
  if (dialog === null) {
    load().catch(() => {
      closeDialog();
      notify({ text: "The form could not be loaded. Try again.", tone: "error" });
    });
    return null;
  }
  const { Dialog } = dialog;
  if (open.kind === "new") return <Dialog key="new" order={null} />;
  return <Dialog key={open.order.id} order={open.order} />;
}
