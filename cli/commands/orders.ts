/** `orders` and `show`: what there is. */
import type { Command } from "commander";
import type { OrderFilter } from "../api.ts";
import { MAX_PAGE } from "../api.ts";
import { count, id, moreStatuses, offset, statuses } from "../options.ts";
import { orderLines, ordersTable } from "../orders-table.ts";
import type { Open, Session } from "../session.ts";
import { jsonLine } from "../text.ts";
import { UsageError } from "../exit.ts";
import type { Order } from "../../protocol/orders.ts";

export interface FilterOptions {
  readonly status?: string[];
  readonly customer?: string;
}

/** Adds the options that say which orders. */
export function addFilterOptions(command: Command): Command {
  return command
    .option("--status <list>", "only those with these statuses: pending,shipped", statuses)
    .option("--customer <text>", "only those with this in the customer's name, in any case");
}

export function filterOf({ status, customer }: FilterOptions, more: readonly string[] = []): OrderFilter {
  const all = [...new Set([...(status ?? []), ...more])];
  return { ...(all.length > 0 && { statuses: all }), ...(customer !== undefined && { customer }) };
}

interface OrdersOptions extends FilterOptions {
  readonly limit: number;
  readonly offset: number;
  readonly all?: true;
  readonly json?: true;
}

/** Adds `orders` to the program. */
export function addOrders(program: Command, open: Open): void {
  const orders = program
    .command("orders")
    .description("list orders, the newest first")
    .argument("[statuses...]", "the same as --status", moreStatuses);
  addFilterOptions(orders)
    .option("--limit <count>", `so many, ${MAX_PAGE} at most`, count, 20)
    .option("--offset <count>", "leave out the first ones", offset, 0)
    .option("--all", "every one that matches, by id")
    .option("--json", "one order a line")
    .action(async (given: string[], options: OrdersOptions) => {
      const filter = filterOf(options, given);
      await (options.all ? listAll(open(), filter, options) : listPage(open(), filter, options));
    });
}

async function listPage(session: Session, filter: OrderFilter, options: OrdersOptions): Promise<void> {
  const { api, output } = session;
  if (options.limit > MAX_PAGE) throw new UsageError(`--limit is ${MAX_PAGE} at most; --all lists them all.`);
  const { orders, total } = await api.list(filter, options.limit, options.offset);
  print(session, orders, options);
  if (options.json) return;
  if (orders.length === total) {
    output.note(`${total} ${total === 1 ? "order" : "orders"}`);
  } else {
    const first = options.offset + 1;
    const which =
      orders.length === 0 ? "none here" : `${first} to ${options.offset + orders.length}, newest first`;
    output.note(`${which}, of ${total}; --limit, --offset and --all show more`);
  }
}

async function listAll(session: Session, filter: OrderFilter, options: OrdersOptions): Promise<void> {
  let shown = 0;
  for await (const orders of session.api.each(filter)) {
    print(session, orders, options);
    shown += orders.length;
  }
  if (!options.json) session.output.note(`${shown} ${shown === 1 ? "order" : "orders"}`);
}

function print({ output, saw }: Session, orders: readonly Order[], { json }: OrdersOptions): void {
  saw(orders);
  if (json) for (const order of orders) output.line(jsonLine(order));
  else if (orders.length > 0) for (const line of ordersTable(orders, output)) output.line(line);
}

/** Adds `show` to the program. */
export function addShow(program: Command, open: Open): void {
  program
    .command("show")
    .description("one order, every column whole")
    .argument("<id>", "its number", id)
    .option("--json", "as JSON")
    .action(async (id: number, { json }: { json?: true }) => {
      const { api, output, saw } = open();
      const order = await api.show(id);
      saw([order]);
      for (const line of json ? [jsonLine(order)] : orderLines(order, output)) output.line(line);
    });
}
