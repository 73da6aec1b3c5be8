/** From the events of `/sse` to the frames that the machine knows. Pure. */
import type { EventSourceMessage } from "eventsource-parser";
import type { Change } from "../protocol/change.ts";
import { formatPosition, parsePosition } from "../protocol/position.ts";
import type { Parse } from "./connection.ts";
import type { ChangesMessage, Incoming } from "./states.ts";

/** Events of their own, and the frames they are; every other event with an id is a change. */
const FRAMES: Readonly<Record<string, string>> = {
  welcome: "welcome",
  reset: "reset",
  status: "status",
  subscribed: "subscribed",
  reconnect: "reconnect",
  problem: "error",
};

/**
 * Collects events into frames: changes that arrive together become one frame.
 *
 * @param sparse with a filter, or folded, numbers are not contiguous; otherwise each change says where it begins.
 * @returns `push`, which throws a SyntaxError for data that is not JSON, and `flush`, to call at the end of each chunk.
 */
export function collectEvents(
  sparse: boolean,
  parse: Parse,
  onMessage: (message: Incoming, size: number) => void,
): { push: (event: EventSourceMessage) => void; flush: () => void } {
  let pending: (ChangesMessage & { readonly changes: Change[] }) | null = null;
  let size = 0;

  const flush = (): void => {
    const message = pending;
    pending = null;
    if (message) onMessage(message, size);
    size = 0;
  };

  const addChange = (position: string, change: Change, length: number): void => {
    const from = sparse ? null : before(position);
    if (pending && !sparse && from !== pending.position) flush();
    pending = pending ? { ...pending, position } : { type: "changes", from, position, changes: [] };
    pending.changes.push(change);
    size += length;
  };

  const push = ({ event = "", id, data }: EventSourceMessage): void => {
    const type = FRAMES[event];
    if (type !== undefined) {
      flush();
      onMessage({ ...(parse(data) as object), type } as Incoming, data.length);
    } else if (event === "position") {
      flush();
      const { position } = parse(data) as { position: string };
      onMessage({ type: "changes", from: null, position, changes: [] }, data.length);
    } else if (id !== undefined) {
      addChange(id, parse(data) as Change, data.length);
    }
  };

  return { push, flush };
}

/** The position just before; null when the text is no position. */
function before(text: string): string | null {
  const position = parsePosition(text);
  return position && formatPosition({ ...position, seq: position.seq - 1 });
}
