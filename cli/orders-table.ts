/** Orders as people read them: a table, or one order a line at a time. */
import type { Order, OrderStatus } from "../protocol/orders.ts";
import type { Colour } from "./paint.ts";
import type { Output } from "./session.ts";
import { table } from "./table.ts";
import type { Column } from "./table.ts";
import { pad, printable } from "./text.ts";

const COLOURS: Readonly<Record<OrderStatus, Colour>> = {
  pending: "yellow",
  processing: "cyan",
  shipped: "magenta",
  delivered: "green",
  completed: "green",
  cancelled: "dim",
};

const COLUMNS: readonly Column<Order>[] = [
  { title: "id", value: ({ id }) => String(id), align: "right" },
  { title: "customer", value: ({ customer_name }) => customer_name, min: 8 },
  { title: "product", value: ({ product_name }) => product_name, min: 8, dispensable: 1 },
  { title: "status", value: ({ status }) => status, colour: ({ status }) => colourOf(status) },
  { title: "amount", value: ({ amount }) => money(amount), align: "right", dispensable: 2 },
  { title: "updated (UTC)", value: ({ updated_at }) => moment(updated_at), dispensable: 3 },
];

export function ordersTable(orders: readonly Order[], { columns, paint }: Output): string[] {
  return table(orders, COLUMNS, columns, paint);
}

/** Every column with its whole value. */
export function orderLines(order: Order, { paint }: Output): string[] {
  const width = Math.max(...Object.keys(order).map((name) => name.length));
  return Object.entries({ ...order, amount: money(order.amount) }).map(
    ([name, value]) => `${paint("dim", pad(printable(name), width))}  ${printable(String(value))}`,
  );
}

/** `order 7 (Ada Lovelace, Desk lamp, pending)`. */
export function nameOrder({ id, customer_name, product_name, status }: Order): string {
  return printable(`order ${id} (${customer_name}, ${product_name}, ${status})`);
}

/** A status that a newer server knows has no colour here. */
function colourOf(status: string): Colour | null {
  return Object.hasOwn(COLOURS, status) ? COLOURS[status as OrderStatus] : null;
}

function money(amount: number | null): string {
  return amount === null ? "" : amount.toFixed(2);
}

/** A timestamp as the API writes it, to the second. */
export function moment(timestamp: string): string {
  return timestamp.replace("T", " ").slice(0, "2026-11-21 07:20:11".length);
}
