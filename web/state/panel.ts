/** What of the shell is open. */
import { signal } from "@preact/signals";

export const panelOpen = signal(false);
export const helpOpen = signal(false);

export function togglePanel(): void {
  panelOpen.value = !panelOpen.peek();
}
