/** The commands that scripts and the shell have in common. */
import type { Command } from "commander";
import type { Open } from "../session.ts";
import { addBulk } from "./bulk.ts";
import { addOrders, addShow } from "./orders.ts";
import { addStats } from "./overview.ts";
import { addRandom } from "./random.ts";
import { addCreate, addDelete, addUpdate } from "./write.ts";

/** Adds them, in the order in which help lists them. */
export function addCommands(program: Command, open: Open): void {
  addOrders(program, open);
  addShow(program, open);
  addCreate(program, open);
  addUpdate(program, open);
  addDelete(program, open);
  addBulk(program, open);
  addRandom(program, open);
  addStats(program, open);
}
