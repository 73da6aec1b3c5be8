/** Which key does what. Pure. */

export const COMMANDS = ["new-order", "search", "reconnect", "clear-feed", "panel", "help"] as const;
export type Command = (typeof COMMANDS)[number];

/** What of a keydown matters. */
export interface Press {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly repeat: boolean;
}

/** Where it was pressed. */
export interface Place {
  /** In a field that takes letters. */
  readonly isTyping: boolean;
  /** While a modal dialog is open, the page behind it takes no commands. */
  readonly isModal: boolean;
  readonly isPanel: boolean;
}

const KEYS: Readonly<Record<string, Command>> = {
  n: "new-order",
  "/": "search",
  r: "reconnect",
  l: "clear-feed",
  c: "panel",
  "?": "help",
};

/** In the connection panel these go with Ctrl too: it is no place from which one reloads the page or goes to its address. */
const PANEL_KEYS: Readonly<Record<string, Command>> = { r: "reconnect", l: "clear-feed" };

/** @param single whether keys without Ctrl are listened to: who speaks to the machine may not want it (WCAG 2.1.4). */
export function commandFor(press: Press, place: Place, single: boolean): Command | null {
  if (place.isModal || press.altKey || press.repeat) return null;
  const key = press.key.length === 1 ? press.key.toLowerCase() : press.key;
  const table =
    press.ctrlKey || press.metaKey
      ? place.isPanel
        ? PANEL_KEYS
        : {}
      : single && !place.isTyping
        ? KEYS
        : {};
  return Object.hasOwn(table, key) ? (table[key] ?? null) : null;
}

/** For the help. */
export const KEY_WORDS: readonly { readonly keys: readonly string[]; readonly what: string }[] = [
  { keys: ["n"], what: "New order" },
  { keys: ["/"], what: "Search by customer" },
  { keys: ["↑", "↓", "Home", "End"], what: "Move in the table" },
  { keys: ["Enter"], what: "Edit the order" },
  { keys: ["Space"], what: "Select the order" },
  { keys: ["c"], what: "Connection panel" },
  { keys: ["r"], what: "Reconnect; in the panel Ctrl+R too" },
  { keys: ["l"], what: "Clear the activity; in the panel Ctrl+L too" },
  { keys: ["Esc"], what: "Close what is open" },
  { keys: ["?"], what: "This help" },
];
