/** `stats` and `status`: how many orders there are, and how the service is. */
import type { Command } from "commander";
import { ORDER_STATUSES } from "../../protocol/order-status.ts";
import type { StatusAnswer } from "../api.ts";
import { moment } from "../orders-table.ts";
import type { Open, Output } from "../session.ts";
import { jsonLine, pad, printable } from "../text.ts";

/** Adds `stats` to the program. */
export function addStats(program: Command, open: Open): void {
  program
    .command("stats")
    .description("how many orders there are, by status")
    .option("--json", "as JSON")
    .action(async ({ json }: { json?: true }) => {
      const { api, output } = open();
      const stats = await api.stats();
      if (json) return output.line(jsonLine(stats));
      const updated = stats["last_updated"];
      printPairs(output, [
        ["orders", stats["total_orders"]],
        ...ORDER_STATUSES.map((status) => [status, stats[`${status}_orders`]] as const),
        ["customers", stats["unique_customers"]],
        ["last updated", typeof updated === "string" ? `${moment(updated)} UTC` : "never"],
      ]);
    });
}

/** Adds `status` to the program. `more` is what is known here besides: the connection of the shell. */
export function addStatus(
  program: Command,
  open: Open,
  more: () => readonly (readonly [name: string, value: unknown])[] = () => [],
): void {
  program
    .command("status")
    .description("how the service is: listener, people watching, delay, database")
    .option("--json", "as JSON")
    .action(async ({ json }: { json?: true }) => {
      const { api, output } = open();
      const status = await api.status();
      if (json) return output.line(jsonLine(status));
      printPairs(output, [["server", api.url], ["status", status.status], ...more(), ...describe(status)]);
    });
}

/** What is not told (to a pinned token: how many others there are) has no line. */
function describe({ listener, lag, clients, position, history, database, versions }: StatusAnswer) {
  const isPinned = clients.total === null;
  const pairs: (readonly [name: string, value: string | number | null])[] = [
    ["listener", listener.status],
    ["database", database.replace("_", " ")],
    ["watching", clients.total],
    ["delay to the log", lag.ms === null ? "nothing has come yet" : `${Math.round(lag.ms)} ms`],
    ["waiting", lag.changes !== null ? `${lag.changes} changes` : isPinned ? null : "not asked"],
    ["position", position],
    ["history", history.changes === null ? null : `${history.changes} changes`],
    ["version", versions.rowcast],
  ];
  return pairs.filter(([, value]) => value !== null);
}

function printPairs(output: Output, pairs: readonly (readonly [name: string, value: unknown])[]): void {
  const width = Math.max(...pairs.map(([name]) => name.length));
  for (const [name, value] of pairs) {
    output.line(`${output.paint("dim", pad(name, width))}  ${printable(String(value))}`);
  }
}
