import { expect, test } from "vitest";
import { commandFor, type Place, type Press } from "./keyboard-keys.ts";

const press = (key: string, more: Partial<Press> = {}): Press => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  repeat: false,
  ...more,
});
const PAGE: Place = { isTyping: false, isModal: false, isPanel: false };
const PANEL: Place = { ...PAGE, isPanel: true };

test.each([
  ["n", "new-order"],
  ["N", "new-order"],
  ["/", "search"],
  ["r", "reconnect"],
  ["l", "clear-feed"],
  ["c", "panel"],
  ["?", "help"],
  ["x", null],
  ["Enter", null],
  ["constructor", null],
] as const)("%s on the page is %s", (key, command) => {
  expect(commandFor(press(key), PAGE, true)).toBe(command);
});

test("who types, is asked something, or holds a key down, gives no commands", () => {
  expect(commandFor(press("n"), { ...PAGE, isTyping: true }, true)).toBeNull();
  expect(commandFor(press("n"), { ...PAGE, isModal: true }, true)).toBeNull();
  expect(commandFor(press("n", { repeat: true }), PAGE, true)).toBeNull();
});

test("Ctrl+R and Ctrl+L are the browser's, except in the panel", () => {
  expect(commandFor(press("r", { ctrlKey: true }), PAGE, true)).toBeNull();
  expect(commandFor(press("r", { ctrlKey: true }), PANEL, true)).toBe("reconnect");
  expect(commandFor(press("l", { metaKey: true }), PANEL, true)).toBe("clear-feed");
  expect(commandFor(press("n", { ctrlKey: true }), PANEL, true)).toBeNull();
});

test("single keys can be turned off; with Ctrl they still go", () => {
  expect(commandFor(press("n"), PAGE, false)).toBeNull();
  expect(commandFor(press("r", { ctrlKey: true }), PANEL, false)).toBe("reconnect");
});
