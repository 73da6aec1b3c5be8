import { describe, expect, it } from "vitest";
import { readMessage } from "./inbox.ts";

describe("a client's frame", () => {
  it("narrows everything to what it subscribes to, and adds to it", () => {
    const first = readMessage('{"type":"subscribe","statuses":["pending"]}', null);
    expect(first).toEqual({ kind: "filter", filter: { orders: { status: ["pending"] } } });
    expect(
      readMessage('{"type":"subscribe","tables":["items"]}', { orders: { status: ["pending"] } }),
    ).toEqual({
      kind: "filter",
      filter: { orders: { status: ["pending"] }, items: {} },
    });
  });

  it("goes back to everything when it unsubscribes from nothing in particular", () => {
    expect(readMessage('{"type":"unsubscribe"}', { orders: {} })).toEqual({ kind: "filter", filter: null });
  });

  it("acknowledges a position", () => {
    expect(readMessage('{"type":"ack","position":"abc.7"}', null)).toEqual({
      kind: "ack",
      position: { epoch: "abc", seq: 7 },
    });
  });

  it.each([
    ["not JSON", "hello", "bad_frame"],
    ["binary", new ArrayBuffer(4), "bad_frame"],
    ["of an unknown type", '{"type":"shout"}', "bad_message"],
    ["with an unknown field", '{"type":"subscribe","ids":[1]}', "bad_message"],
    ["with a wrong type of value", '{"type":"subscribe","orderIds":["1"]}', "bad_message"],
    ["with a position that is none", '{"type":"ack","position":"7"}', "bad_message"],
    ["that is null", "null", "bad_message"],
    [
      "with too large a filter",
      JSON.stringify({
        type: "subscribe",
        statuses: Array.from({ length: 500 }, (_, i) => `status-number-${i}`),
      }),
      "bad_message",
    ],
  ])("that is %s is answered with an error that says what is wrong", (_, data, code) => {
    const result = readMessage(data, null);
    expect(result).toMatchObject({ kind: "error", code });
  });

  it("that is larger than a frame may be is told apart", () => {
    expect(readMessage("x".repeat(20_000), null)).toEqual({ kind: "too-large" });
  });
});
