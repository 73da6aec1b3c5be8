/** Short messages that go by themselves; one at a time, the newest. */
import { signal } from "@preact/signals";

export const toast = signal<{ readonly text: string; readonly isError: boolean } | null>(null);

let timer: ReturnType<typeof setTimeout> | undefined;

export function showToast(text: string, isError = false): void {
  toast.value = { text, isError };
  clearTimeout(timer);
  timer = setTimeout(dismissToast, isError ? 10_000 : 4000);
}

export function dismissToast(): void {
  toast.value = null;
}
