/** Stands in for `notify` of toasts.ts until that is there. */
import { showToast } from "./toasts.ts";

interface Toast {
  readonly text: string;
  readonly tone: "info" | "error";
  readonly action?: { readonly label: string; readonly run: () => void };
}

export function notify({ text, tone }: Toast): void {
  showToast(text, tone === "error");
}
