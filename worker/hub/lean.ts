/** Making frames lean (protocol/lean.ts): done to the text of changes, once for all who are sent it. */
import { SEPARATOR } from "../change-log/history.ts";

/** The members of a change before its key, each with its comma, as the log writes them. */
const HEAD = /^\{("seq":([0-9]+),)("xid":"[0-9]+",)("table":"(?:[^"\\]|\\.)*",)("operation":"[A-Z]+",)"key":/;
const TAIL = /,"timestamp":"[0-9TZ:.-]+"\}$/;
const NAME = String.raw`"(?:[^"\\]|\\.)*":`;
const SCALAR = String.raw`(?:"(?:[^"\\]|\\.)*"|[^"[\]{},]+)`;
/** A key whose members can be told apart without parsing: all are scalars. */
const KEY = new RegExp(`^\\{${NAME}${SCALAR}(?:,${NAME}${SCALAR})*\\}$`);
const MEMBER = new RegExp(`(${NAME})${SCALAR}`, "g");
const DATA = ',"data":';
const NO_OLD = ',"old":null';

interface Shared {
  readonly seq: number;
  readonly xid: string;
  readonly table: string;
  readonly operation: string;
  readonly timestamp: string;
  /** The names of the key's columns; null when the next key has to be given whatever it is. */
  readonly names: string | null;
}

/** The text of changes, joined with `SEPARATOR`, without what a client can derive. What is not as usual stays whole. */
export function lean(text: string): string {
  let before: Shared | null = null;
  const changes: string[] = [];
  for (const change of text.split(SEPARATOR)) {
    const head = HEAD.exec(change);
    const timestamp = TAIL.exec(change)?.[0];
    const [all = "", seqMember = "", seq = "", xid = "", table = "", operation = ""] = head ?? [];
    const body = change.slice(all.length, -(timestamp?.length ?? 0));
    const end = body.indexOf(DATA);
    if (head === null || timestamp === undefined || end < 0) {
      changes.push(change);
      before = null; // the next one says everything
      continue;
    }
    const key = body.slice(0, end);
    const names = KEY.test(key) ? key.replaceAll(MEMBER, "$1") : null;
    const rest = body.endsWith(NO_OLD) ? body.slice(end, -NO_OLD.length) : body.slice(end);
    const isDerived =
      before !== null &&
      before.table === table &&
      names !== null &&
      names === before.names &&
      isIn(key, rest);
    const members: string =
      (before !== null && before.seq + 1 === Number(seq) ? "" : seqMember) +
      (before?.xid === xid ? "" : xid) +
      (before?.table === table ? "" : table) +
      (before?.operation === operation ? "" : operation) +
      (isDerived ? rest.slice(1) : `"key":${key}${rest}`);
    changes.push(`{${members}${before?.timestamp === timestamp ? "}" : timestamp}`);
    before = { seq: Number(seq), xid, table, operation, timestamp, names };
  }
  return changes.join(SEPARATOR);
}

/** Whether the row has every member of the key as it is: so it was captured, but what is told must be so for certain. */
function isIn(key: string, rest: string): boolean {
  return (key.match(MEMBER) ?? []).every(
    (member) => rest.includes(`${member},`) || rest.includes(`${member}}`),
  );
}
