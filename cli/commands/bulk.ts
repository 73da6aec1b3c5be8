/** `bulk`: one status for many orders, named or found. */
import type { Command } from "commander";
import type { OrderStatus } from "../../protocol/orders.ts";
import { MAX_BULK } from "../api.ts";
import { Declined, UsageError } from "../exit.ts";
import { moreIds, status } from "../options.ts";
import { confirm } from "../session.ts";
import type { Open, Session } from "../session.ts";
import { jsonLine } from "../text.ts";
import { ApiProblem } from "../problem.ts";
import { addFilterOptions, filterOf } from "./orders.ts";
import type { FilterOptions } from "./orders.ts";
import { addKeyOption, keyOf } from "./write.ts";

interface BulkOptions extends FilterOptions {
  readonly all?: true;
  readonly yes?: true;
  readonly key?: string;
  readonly json?: true;
}

/** Adds `bulk` to the program. */
export function addBulk(program: Command, open: Open): void {
  const bulk = program
    .command("bulk")
    .description("set the status of many orders: those named, or those that match; asks before")
    .argument("<status>", "what they get", status)
    .argument("[ids...]", "their numbers", moreIds);
  addKeyOption(addFilterOptions(bulk))
    .option("--all", "every order there is")
    .option("-y, --yes", "do not ask")
    .option("--json", "print what was done as JSON")
    .action(async (status: OrderStatus, given: number[] | undefined, options: BulkOptions) => {
      const session = open();
      const ids = await idsOf(session, given ?? [], options);
      if (ids.length === 0) throw new Declined("No order matches: nothing was changed.");
      if (!options.yes && !(await confirm(session, `Set ${count(ids.length)} to ${status}?`))) {
        throw new Declined("Nothing was changed.");
      }
      await setAll(session, ids, status, options);
    });
}

async function idsOf(
  session: Session,
  given: readonly number[],
  options: BulkOptions,
): Promise<readonly number[]> {
  const filter = filterOf(options);
  const isFiltered = Object.keys(filter).length > 0;
  const ways = [given.length > 0, isFiltered, options.all === true].filter(Boolean).length;
  if (ways === 0) throw new UsageError("Which orders? Name ids, or --status, --customer, or --all.");
  if (ways > 1) throw new UsageError("Name ids, or a filter, or --all: not several of them.");
  if (given.length > 0) return given;
  const found: number[] = [];
  for await (const orders of session.api.each(filter)) {
    for (const { id } of orders) found.push(id);
  }
  return found;
}

async function setAll(
  session: Session,
  ids: readonly number[],
  status: OrderStatus,
  options: BulkOptions,
): Promise<void> {
  const { api, output } = session;
  const key = keyOf(options);
  let done = 0;
  const missing: number[] = [];
  for (let start = 0; start < ids.length; start += MAX_BULK) {
    const part = ids.slice(start, start + MAX_BULK);
    try {
      const answer = await api.setStatus(part, status, ids.length > MAX_BULK ? `${key}:${start}` : key);
      done += answer.count;
      missing.push(...answer.missing);
    } catch (error) {
      // That none of a later part is there any more takes nothing from the others.
      const isGone = error instanceof ApiProblem && error.code === "not_found";
      if (!isGone && done > 0) output.note(`${count(done)} of ${ids.length} had been set when this came:`);
      if (!isGone || done === 0) throw error;
      missing.push(...part);
    }
    if (ids.length > MAX_BULK && !options.json) {
      output.note(`${Math.min(start + MAX_BULK, ids.length)} of ${ids.length}`);
    }
  }
  if (options.json) {
    output.line(jsonLine({ status, count: done, missing }));
    return;
  }
  output.line(`${count(done)} ${done === 1 ? "is" : "are"} now ${status}`);
  if (missing.length > 0) output.note(`not there: ${missing.join(", ")}`);
}

function count(orders: number): string {
  return `${orders} ${orders === 1 ? "order" : "orders"}`;
}
