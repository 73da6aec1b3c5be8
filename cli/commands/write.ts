/** `create`, `update`, `delete`: one order each, once each. */
import { randomUUID } from "node:crypto";
import type { Command } from "commander";
import type { Order, OrderStatus } from "../../protocol/orders.ts";
import type { OrderFields, Written } from "../api.ts";
import { Declined, UsageError } from "../exit.ts";
import { amount, id, status } from "../options.ts";
import { nameOrder } from "../orders-table.ts";
import { confirm } from "../session.ts";
import type { Open, Session } from "../session.ts";
import { jsonLine, printable } from "../text.ts";

interface WriteOptions {
  readonly customer?: string;
  readonly product?: string;
  readonly status?: OrderStatus;
  readonly amount?: number | "none";
  readonly key?: string;
  readonly json?: true;
}

/** Adds the option that names a write. */
export function addKeyOption(command: Command): Command {
  return command.option("--key <text>", "the Idempotency-Key: run again with the same one, it is done once");
}

function addFieldOptions(command: Command): Command {
  return command
    .option("--customer <name>", "who ordered")
    .option("--product <name>", "what was ordered")
    .option("--status <status>", "how far it is", status)
    .option("--amount <number>", "what it costs, or none", amount);
}

/** Adds `create` to the program. */
export function addCreate(program: Command, open: Open): void {
  const create = program
    .command("create")
    .description("make an order; asks for what is not given, where somebody can be asked");
  addKeyOption(addFieldOptions(create))
    .option("--json", "print the order as JSON")
    .action(async (options: WriteOptions) => {
      const session = open();
      const given = fieldsOf(options);
      const isEnough = given.customer_name !== undefined && given.product_name !== undefined;
      if (!isEnough && session.ask === null) {
        throw new UsageError("An order needs --customer and --product.");
      }
      const fields = isEnough || session.ask === null ? given : await session.ask.fields(given);
      report(session, await session.api.create(fields, keyOf(options)), options);
    });
}

/** Adds `update` to the program. */
export function addUpdate(program: Command, open: Open): void {
  const update = program
    .command("update")
    .description("change an order; without any field asks, where somebody can be asked")
    .argument("<id>", "its number", id)
    .argument("[status]", "the same as --status", status);
  addKeyOption(addFieldOptions(update))
    .option("--json", "print the order as JSON")
    .action(async (id: number, newStatus: OrderStatus | undefined, options: WriteOptions) => {
      const session = open();
      const given = { ...fieldsOf(options), ...(newStatus !== undefined && { status: newStatus }) };
      const key = keyOf(options);
      if (Object.keys(given).length > 0) {
        report(session, await session.api.update(id, given, key), options);
        return;
      }
      if (session.ask === null) {
        throw new UsageError("Nothing to change: --customer, --product, --status or --amount is needed.");
      }
      const order = await session.api.show(id);
      const changed = changedFields(order, await session.ask.fields({}, order));
      if (Object.keys(changed).length === 0) throw new Declined("Nothing was changed.");
      // The answers were about this version of it.
      report(session, await session.api.update(id, changed, key, order.updated_at), options);
    });
}

interface DeleteOptions {
  readonly yes?: true;
  readonly key?: string;
  readonly json?: true;
}

/** Adds `delete` to the program. */
export function addDelete(program: Command, open: Open): void {
  const remove = program
    .command("delete")
    .description("delete an order; asks before")
    .argument("<id>", "its number", id)
    .option("-y, --yes", "do not ask");
  addKeyOption(remove)
    .option("--json", "print the order, as it was, as JSON")
    .action(async (id: number, options: DeleteOptions) => {
      const session = open();
      if (!options.yes) {
        const order = session.ask === null ? null : await session.api.show(id);
        const isSure = await confirm(session, `Delete ${order === null ? "it" : nameOrder(order)}?`);
        if (!isSure) throw new Declined("Nothing was deleted.");
      }
      const { data, message } = await session.api.remove(id, keyOf(options));
      session.output.line(options.json ? jsonLine(data) : printable(message));
    });
}

function fieldsOf({ customer, product, status, amount }: WriteOptions): Partial<OrderFields> {
  return {
    ...(customer !== undefined && { customer_name: customer }),
    ...(product !== undefined && { product_name: product }),
    ...(status !== undefined && { status }),
    ...(amount !== undefined && { amount: amount === "none" ? null : amount }),
  };
}

function changedFields(order: Order, fields: OrderFields): Partial<OrderFields> {
  const names = Object.keys(fields) as (keyof OrderFields)[];
  return Object.fromEntries(
    names.filter((name) => fields[name] !== order[name]).map((name) => [name, fields[name]]),
  );
}

/** A key of the user's own, or one that no other write has. */
export function keyOf({ key }: { readonly key?: string }): string {
  return key ?? randomUUID();
}

function report({ output, saw }: Session, { data, message }: Written, { json }: WriteOptions): void {
  saw([data]);
  output.line(json ? jsonLine(data) : printable(message));
}
