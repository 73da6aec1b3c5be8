/** The page's keys, and whether they are wanted. */
import { signal } from "@preact/signals";
import { client } from "./connection.ts";
import { clearFeed, focusSearch, newOrder } from "./commands.ts";
import { type Command, commandFor, type Place } from "./keyboard-keys.ts";
import { helpOpen, togglePanel } from "./panel.ts";

const KEY = "rowcast.single-keys";

export const singleKeys = signal(readKept());

function readKept(): boolean {
  try {
    return localStorage.getItem(KEY) !== "off";
  } catch {
    return true;
  }
}

export function setSingleKeys(on: boolean): void {
  singleKeys.value = on;
  try {
    if (on) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, "off");
  } catch {
    // a browser that keeps nothing
  }
}

const RUN: Readonly<Record<Command, () => void>> = {
  "new-order": newOrder,
  search: focusSearch,
  reconnect: () => client.reconnect(),
  "clear-feed": clearFeed,
  panel: togglePanel,
  help: () => {
    helpOpen.value = true;
  },
};

addEventListener("keydown", (event) => {
  if (event.defaultPrevented) return;
  const command = commandFor(event, placeOf(event.target), singleKeys.peek());
  if (command === null) return;
  event.preventDefault(); // or the letter would be typed where the command leads
  RUN[command]();
});

function placeOf(target: EventTarget | null): Place {
  const element = target instanceof Element ? target : null;
  return {
    isTyping:
      element?.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]") !=
      null,
    isModal: document.querySelector("dialog:modal") !== null,
    isPanel: element?.closest("#connection-panel") != null,
  };
}
