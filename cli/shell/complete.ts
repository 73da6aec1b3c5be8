/** What the Tab key offers: commands, options, statuses, and the ids that have been seen. Pure. */
import { ORDER_STATUSES } from "../../protocol/order-status.ts";
import { wordsSoFar } from "./words.ts";

/** What can stand at a place of the line; null: anything, so nothing is offered. */
export type Kind = "command" | "id" | "status" | "watch" | null;

export interface Shape {
  readonly name: string;
  /** The last one stands for all that follow when the command takes several. */
  readonly places: readonly Kind[];
  readonly isVariadic: boolean;
  /** By its long flag what an option takes; undefined: nothing. */
  readonly options: ReadonlyMap<string, { readonly kind: Kind } | undefined>;
}

/**
 * @param line up to the cursor.
 * @param ids the newest first.
 * @returns what the last word could become, and the part of it that is replaced: what readline asks for.
 */
export function complete(
  line: string,
  shapes: readonly Shape[],
  ids: readonly number[],
): [hits: string[], typed: string] {
  const all = wordsSoFar(line);
  const typed = all.at(-1) ?? "";
  const before = all.slice(0, -1);
  // A list is completed at its end.
  const part = typed.slice(typed.lastIndexOf(",") + 1);
  const hits = candidates(before, typed, shapes, ids).filter((word) =>
    word.startsWith(word.startsWith("-") ? typed : part),
  );
  const [only, ...others] = hits;
  if (only !== undefined && others.length === 0) return [[`${only} `], part];
  return [hits, part];
}

function candidates(
  before: readonly string[],
  typed: string,
  shapes: readonly Shape[],
  ids: readonly number[],
): string[] {
  const offers = (kind: Kind): string[] => {
    if (kind === "command") return shapes.map(({ name }) => name);
    if (kind === "status") return [...ORDER_STATUSES];
    if (kind === "watch") return ["off", ...ORDER_STATUSES];
    return kind === "id" ? ids.map(String) : [];
  };
  const [name, ...rest] = before;
  if (name === undefined) return offers("command");
  const shape = shapes.find((shape) => shape.name === name);
  if (shape === undefined) return [];
  const option = shape.options.get(rest.at(-1) ?? "");
  if (option !== undefined) return offers(option.kind);
  if (typed.startsWith("-")) return [...shape.options.keys()].filter((flag) => !rest.includes(flag));
  const place = rest.filter((word, index) => {
    const isValue = shape.options.get(rest[index - 1] ?? "") !== undefined;
    return !word.startsWith("-") && !isValue;
  }).length;
  const kind = shape.places[place] ?? (shape.isVariadic ? (shape.places.at(-1) ?? null) : null);
  return offers(kind).filter((word) => !rest.includes(word));
}
