/** What a client's frame asks for, checked. Pure: the Hub acts on the answer. */
import * as v from "valibot";
import { addToFilter, takeFromFilter, toFilter, type Filter } from "../../protocol/filter.ts";
import { MAX_CLIENT_FRAME } from "../../protocol/frames.ts";
import { ClientMessage } from "../../protocol/messages.ts";
import { parsePosition, type Position } from "../../protocol/position.ts";
import { filterBytes, MAX_FILTER_BYTES } from "./attachment.ts";

export type Incoming =
  | { kind: "ack"; position: Position }
  | { kind: "filter"; filter: Filter | null }
  | { kind: "error"; code: "bad_frame" | "bad_message"; message: string }
  | { kind: "too-large" };

/** @param present the client's filter as it is now, which `subscribe` and `unsubscribe` change. */
export function readMessage(data: string | ArrayBuffer, present: Filter | null): Incoming {
  if (typeof data !== "string") return bad("bad_frame", "frames are JSON text, not binary");
  if (data.length > MAX_CLIENT_FRAME) return { kind: "too-large" };
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return bad(
      "bad_frame",
      'a frame is a JSON object such as {"type":"subscribe","statuses":["pending"]}, or the bare text ping',
    );
  }
  const result = v.safeParse(ClientMessage, value);
  if (!result.success) {
    const [issue] = result.issues;
    return bad("bad_message", `${v.getDotPath(issue) ?? "message"}: ${issue.message}`);
  }
  const message = result.output;
  if (message.type === "ack") {
    const position = parsePosition(message.position);
    return position === null ? bad("bad_message", "position: not a position") : { kind: "ack", position };
  }
  const named = toFilter(message);
  const filter = changed(message.type, present, named);
  if (filter !== null && filterBytes(filter) > MAX_FILTER_BYTES) {
    return bad(
      "bad_message",
      `the filter would be larger than ${MAX_FILTER_BYTES} bytes: watch fewer values`,
    );
  }
  return { kind: "filter", filter };
}

function changed(
  type: "subscribe" | "unsubscribe",
  present: Filter | null,
  named: Filter | null,
): Filter | null {
  if (type === "subscribe") return named === null ? present : addToFilter(present, named);
  return named === null ? null : takeFromFilter(present, named);
}

function bad(code: "bad_frame" | "bad_message", message: string): Incoming {
  return { kind: "error", code, message };
}
