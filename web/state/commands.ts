/** What the keyboard, the help and other parts of the page may ask of the orders and the feed. */
import { openDialog } from "./dialogs.ts";

export { clearFeed } from "./feed.ts";
export { addRandomOrder, toggleTraffic } from "./traffic.ts";

export function newOrder(): void {
  openDialog.value = { kind: "new" };
}

export function focusSearch(): void {
  const field = document.getElementById("search");
  if (!(field instanceof HTMLInputElement)) return;
  field.focus();
  field.select();
}
