/** Changes and connection states in words, a line each. Pure: colours come in as a function. */
import type { Change, ConnectionState, Operation, Row } from "../client/index.ts";
import type { Colour, Paint } from "./paint.ts";
import { printable } from "./text.ts";

const COLOURS: Readonly<Record<Operation, Colour>> = {
  INSERT: "green",
  UPDATE: "yellow",
  DELETE: "red",
  TRUNCATE: "magenta",
};

/** What an order says of itself, in the order in which people read it; its times stand in the change already. */
const ORDER_COLUMNS = ["customer_name", "product_name", "status", "amount"];

/** A value longer than this many characters is cut. */
const MAX_VALUE = 60;

/** `10:03:22.123  UPDATE  orders  id=1  status pending → shipped` */
export function describeChange(change: Change, paint: Paint): string {
  const { operation, table, timestamp, key } = change;
  const parts = [
    paint("dim", timeOf(timestamp)),
    paint(COLOURS[operation], operation.padEnd("TRUNCATE".length)),
    paint("bold", printable(table)),
    pairs(key ?? {}, (name, value) => `${paint("cyan", name)}=${value}`),
    details(change, paint),
  ];
  return parts.filter((part) => part !== "").join("  ");
}

function details({ table, operation, data, old, key, truncated }: Change, paint: Paint): string {
  if (truncated) return paint("dim", "(the row is too large for the stream)");
  if (data === null) return "";
  if (operation === "UPDATE" && old !== null) {
    return pairs(
      telling(table, old),
      (name, before) =>
        `${paint("cyan", name)} ${paint("dim", before)} ${paint("dim", "→")} ${printValue(data[name])}`,
      ", ",
    );
  }
  const rest = Object.fromEntries(
    Object.entries(telling(table, data)).filter(
      ([name, value]) => !Object.hasOwn(key ?? {}, name) && value !== null,
    ),
  );
  return pairs(rest, (name, value) => `${paint("cyan", name)}=${value}`);
}

/** The columns worth a look: all of them, but of orders only those above, unless none of them is there. */
function telling(table: string, row: Row): Row {
  const columns = ORDER_COLUMNS.filter((name) => Object.hasOwn(row, name));
  if (table !== "orders" || columns.length === 0) return row;
  return Object.fromEntries(columns.map((name) => [name, row[name]]));
}

function pairs(row: Row, write: (name: string, value: string) => string, separator = " "): string {
  return Object.entries(row)
    .map(([name, value]) => write(printable(name), printValue(value)))
    .join(separator);
}

/** Plain words as they are, everything else as JSON, cut when long. */
function printValue(value: unknown): string {
  const text =
    typeof value === "string" && /^[\w.:+@/-]+$/.test(value) ? value : (JSON.stringify(value) ?? "null");
  const characters = Array.from(text);
  const cut = characters.length > MAX_VALUE ? `${characters.slice(0, MAX_VALUE - 1).join("")}…` : text;
  return printable(cut);
}

/** The time of day as the database wrote it, in UTC, to the millisecond. */
function timeOf(timestamp: string): string {
  return /T(\d\d:\d\d:\d\d(?:\.\d{1,3})?)/.exec(timestamp)?.[1] ?? printable(timestamp);
}

/** `live over websocket`, `trying again in 1.2 s (2 failed): the connection was lost` */
export function describeState(state: ConnectionState, now: number): string {
  switch (state.name) {
    case "connecting":
      return `connecting over ${state.transport}`;
    case "catching-up":
      return `catching up over ${state.transport}`;
    case "live":
      return `live over ${state.transport}`;
    case "waiting": {
      const seconds = Math.max(0, (state.retryAt - now) / 1000).toFixed(1);
      return `trying again in ${seconds} s (${state.attempt} failed): ${printable(state.reason)}`;
    }
    case "offline":
      return "offline";
    default:
      return `stopped: ${printable(state.reason)}`;
  }
}
