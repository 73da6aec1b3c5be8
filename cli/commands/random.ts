/** `random`: orders made up, one after the other. */
import type { Command } from "commander";
import { randomOrder } from "../../protocol/random-order.ts";
import { howMany } from "../options.ts";
import { nameOrder } from "../orders-table.ts";
import type { Open } from "../session.ts";
import { jsonLine } from "../text.ts";
import { addKeyOption, keyOf } from "./write.ts";

/** Adds `random` to the program. */
export function addRandom(program: Command, open: Open): void {
  const random = program
    .command("random")
    .description("make up orders, to have something to look at")
    .argument("[n]", "so many", howMany, 1);
  addKeyOption(random)
    .option("--json", "one order a line")
    .action(async (n: number, options: { key?: string; json?: true }) => {
      const { api, output, saw } = open();
      const key = keyOf(options);
      for (let made = 0; made < n; made += 1) {
        const { data } = await api.create(randomOrder(Math.random), n === 1 ? key : `${key}:${made}`);
        saw([data]);
        output.line(options.json ? jsonLine(data) : `Made ${nameOrder(data)}`);
      }
    });
}
