/** The browser's own notifications: only when the page is hidden, only when asked for, and never a flood. */
import { signal } from "@preact/signals";
import type { Change, Operation } from "../../protocol/change.ts";
import { client } from "./connection.ts";
import { announce } from "./describe.ts";
import { notify } from "./toasts.ts";

const KEY = "rowcast.notifications";
/** Between two of them. What happens meanwhile goes into the next. */
const EVERY_MS = 10_000;

export const canNotify = typeof Notification === "function";

export const notificationsOn = signal(canNotify && Notification.permission === "granted" && isKept());

function isKept(): boolean {
  try {
    return localStorage.getItem(KEY) === "on";
  } catch {
    return false;
  }
}

/** Asks the user the first time: call it from a click. */
export async function setNotifications(on: boolean): Promise<void> {
  if (on && (await Notification.requestPermission()) !== "granted") {
    notify({
      text: "This browser does not allow notifications of this page. Its settings can.",
      tone: "error",
    });
    return;
  }
  notificationsOn.value = on;
  try {
    if (on) localStorage.setItem(KEY, "on");
    else localStorage.removeItem(KEY);
  } catch {
    // a browser that keeps nothing: it holds until the page goes
  }
}

const counts = new Map<Operation, number>();
let newest: Change | undefined;
let shown: Notification | undefined;
let rest: ReturnType<typeof setTimeout> | undefined;

client.on("changes", ({ changes }) => {
  if (!document.hidden || !notificationsOn.peek()) return;
  for (const change of changes) {
    if (change.table !== "orders") continue;
    newest = change;
    counts.set(change.operation, (counts.get(change.operation) ?? 0) + 1);
  }
  if (rest === undefined) show();
});

function show(): void {
  rest = undefined;
  if (!newest || counts.size === 0) return;
  try {
    // the tag replaces the one before: there is one of Rowcast's at a time
    shown = new Notification("Rowcast", {
      body: announce(newest, counts),
      tag: "rowcast",
      icon: "/favicon.svg",
    });
    shown.addEventListener("click", () => {
      window.focus();
      shown?.close();
    });
  } catch {
    notificationsOn.value = false; // phones have them only for service workers, and say so by throwing
  }
  counts.clear();
  rest = setTimeout(show, EVERY_MS);
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  counts.clear();
  shown?.close();
});
