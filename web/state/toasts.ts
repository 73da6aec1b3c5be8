/** Short messages that go by themselves: the newest few, and what is said again is counted instead of stacked. */
import { signal } from "@preact/signals";

export interface Toast {
  readonly text: string;
  readonly tone: "info" | "success" | "error";
  /** Offered for as long as the toast is there; it goes with being used. */
  readonly action?: { readonly label: string; readonly run: () => void };
}

export interface ShownToast extends Toast {
  readonly id: number;
  /** How often the same has been said. */
  readonly times: number;
}

const MAX_TOASTS = 3;
const STAYS_MS = { info: 4000, success: 4000, error: 10_000 };
/** Long enough to read, see the button and reach it. */
const ACTION_STAYS_MS = 7000;

/** The oldest first. */
export const toasts = signal<readonly ShownToast[]>([]);

const timers = new Map<number, ReturnType<typeof setTimeout>>();
let nextId = 1;

export function notify(toast: Toast): void {
  const same = toasts
    .peek()
    .find(({ text, tone, action }) => text === toast.text && tone === toast.tone && !action);
  const shown: ShownToast = { ...toast, id: same?.id ?? nextId++, times: (same?.times ?? 0) + 1 };
  // one way back is enough: a newer offer of the same takes the place of the older
  const isReplaced = ({ id, action }: ShownToast) =>
    id === shown.id || (action && action.label === toast.action?.label);
  const others = toasts.peek().filter((other) => !isReplaced(other));
  // what asks for an answer stays longest
  while (others.length >= MAX_TOASTS) drop(others);
  toasts.value = [...others, shown];
  leaveLater(shown);
}

function drop(list: ShownToast[]): void {
  const index = Math.max(
    0,
    list.findIndex(({ action }) => !action),
  );
  for (const { id } of list.splice(index, 1)) clearTimeout(timers.get(id));
}

export function dismissToast(id: number): void {
  clearTimeout(timers.get(id));
  timers.delete(id);
  toasts.value = toasts.peek().filter((toast) => toast.id !== id);
}

/** While somebody reads it, or is on its button, a toast stays. */
export function holdToast(id: number): void {
  clearTimeout(timers.get(id));
}

export function leaveLater({ id, tone, action }: ShownToast): void {
  clearTimeout(timers.get(id));
  timers.set(
    id,
    setTimeout(() => dismissToast(id), action ? ACTION_STAYS_MS : STAYS_MS[tone]),
  );
}
