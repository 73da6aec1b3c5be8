/** What the clients of the suite watch, and the rule of DESIGN.md by which it is judged: told anew, not the project's code. */
import type { FilterInput } from "../../client/index.ts";
import type { Change, Row } from "../../protocol/change.ts";

export interface Watched {
  readonly name: string;
  readonly input: FilterInput | null;
  /** Whether a client is to be told of the change: its new or its old values match, or it cannot be known. */
  passes(change: Pick<Change, "table" | "key" | "data" | "old">): boolean;
}

const either = (
  { key, data, old }: Pick<Change, "key" | "data" | "old">,
  matches: (row: Row) => boolean,
): boolean => {
  if (key === null) return true; // TRUNCATE
  if (data === null) return matches(key); // too large to send
  return matches(data) || (old !== null && matches({ ...data, ...old }));
};

export const EVERYTHING: Watched = { name: "everything", input: null, passes: () => true };

export const SHELVES: Watched = {
  name: "shelves 1 to 3",
  input: { tables: { items: { shelf: [1, 2, 3] } } },
  passes: (change) =>
    change.table === "items" && either(change, ({ shelf }) => shelf === 1 || shelf === 2 || shelf === 3),
};

export const PENDING: Watched = {
  name: "pending orders",
  input: { statuses: ["pending"] },
  passes: (change) => change.table === "orders" && either(change, ({ status }) => status === "pending"),
};

export const CRATES: Watched = {
  name: "crates",
  input: { tables: ["crates"] },
  passes: ({ table }) => table === "crates",
};

export const FEW: Watched = {
  name: "orders 1 to 5, shipped, and crate 7",
  input: { tables: { orders: { id: [1, 2, 3, 4, 5], status: ["shipped"] }, crates: { id: [7] } } },
  passes: (change) =>
    change.table === "orders"
      ? either(
          change,
          ({ id, status }) => typeof id === "number" && id >= 1 && id <= 5 && status === "shipped",
        )
      : change.table === "crates" && either(change, ({ id }) => id === 7),
};

/** Each has its bit in the truth. */
export const ALL_WATCHED: readonly Watched[] = [EVERYTHING, SHELVES, PENDING, CRATES, FEW];
