/** What the commands take, read off the commands themselves: a new one is completed without a word here. */
import type { Command } from "commander";
import type { Kind, Shape } from "./complete.ts";

/** By the name of an argument or of an option's value. */
const KINDS: Readonly<Record<string, Kind>> = {
  id: "id",
  ids: "id",
  status: "status",
  statuses: "status",
  command: "command",
  what: "watch",
};

export function shapesOf(program: Command): Shape[] {
  const help: Shape = { name: "help", places: ["command"], isVariadic: false, options: new Map() };
  const shapes = program.commands.map((command): Shape => {
    const args = command.registeredArguments;
    return {
      name: command.name(),
      places: args.map((argument) => kindOf(argument.name())),
      isVariadic: args.at(-1)?.variadic ?? false,
      options: new Map(
        command.options.map((option) => {
          const takesValue = option.required || option.optional;
          return [option.long ?? "", takesValue ? { kind: kindOf(option.attributeName()) } : undefined];
        }),
      ),
    };
  });
  return [...shapes, help];
}

function kindOf(name: string): Kind {
  return Object.hasOwn(KINDS, name) ? (KINDS[name] ?? null) : null;
}
