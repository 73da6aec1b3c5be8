import { createParser } from "eventsource-parser";
import { expect, test } from "vitest";
import { collectEvents } from "./sse-events.ts";
import type { Incoming } from "./states.ts";

function read(filtered: boolean, ...chunks: string[]): Incoming[] {
  const messages: Incoming[] = [];
  const events = collectEvents(filtered, JSON.parse, (message) => messages.push(message));
  const parser = createParser({ onEvent: events.push });
  for (const chunk of chunks) {
    parser.feed(chunk);
    events.flush();
  }
  return messages;
}
const change = (seq: number) => `event: orders:update\nid: e.${seq}\ndata: {"seq":${seq}}\n\n`;

test("changes that arrive together are one frame, which says where it begins", () => {
  expect(read(false, change(4) + change(5))).toEqual([
    { type: "changes", from: "e.3", position: "e.5", changes: [{ seq: 4 }, { seq: 5 }] },
  ]);
});

test("a number left out begins another frame, so that the gap is seen", () => {
  expect(read(false, change(4) + change(6))).toMatchObject([
    { from: "e.3", position: "e.4" },
    { from: "e.5", position: "e.6" },
  ]);
});

test("with a filter numbers may be left out", () => {
  expect(read(true, change(4) + change(6))).toMatchObject([{ from: null, position: "e.6" }]);
});

test("a position moves on without changes, and a problem is an error", () => {
  const text =
    'event: position\ndata: {"position":"e.9"}\n\nevent: problem\ndata: {"code":"x","message":"y"}\n\n';
  expect(read(true, change(4) + text)).toEqual([
    { type: "changes", from: null, position: "e.4", changes: [{ seq: 4 }] },
    { type: "changes", from: null, position: "e.9", changes: [] },
    { type: "error", code: "x", message: "y" },
  ]);
});

test("an event cut anywhere reads the same", () => {
  const text = change(1);
  for (let at = 1; at < text.length; at++) {
    expect(read(false, text.slice(0, at), text.slice(at))).toMatchObject([{ from: "e.0", position: "e.1" }]);
  }
});

test("events of a kind that this client does not know are passed over", () => {
  expect(read(false, "event: newer\ndata: {}\n\n")).toEqual([]);
});
