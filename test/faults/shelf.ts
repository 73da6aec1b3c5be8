/** Live collections, and whether they are the table in the end. */
import {
  liveCollection,
  type Client as Sdk,
  type FilterInput,
  type LiveCollection,
} from "../../client/index.ts";
import type { Row } from "../../protocol/change.ts";
import { askOnce } from "./cluster.ts";

/** A table as a live collection of the suite: which rows, and how they are loaded. */
export interface Kept {
  readonly table: "items" | "crates" | "orders";
  readonly filter: FilterInput | null;
  /** The rows of the collection, in SQL. */
  readonly where: string;
}

export const ITEMS: Kept = { table: "items", filter: null, where: "true" };
export const ITEMS_OF_SHELVES: Kept = {
  table: "items",
  filter: { tables: { items: { shelf: [1, 2, 3] } } },
  where: "shelf IN (1, 2, 3)",
};
export const CRATES_KEPT: Kept = { table: "crates", filter: { tables: ["crates"] }, where: "true" };
export const ORDERS_KEPT: Kept = { table: "orders", filter: null, where: "true" };
export const PENDING_KEPT: Kept = {
  table: "orders",
  filter: { statuses: ["pending"] },
  where: "status = 'pending'",
};

export interface Shelf {
  readonly name: string;
  /** Of the client that has it now. */
  attach(sdk: Sdk): void;
  /** What differs from the table: empty when they are equal. While it still loads, it says so. */
  difference(): Promise<string[]>;
  close(): void;
}

/** @param apiUrl where orders are loaded as a page does it; the other tables come from the database. */
export function keepShelf(name: string, kept: Kept, databaseUrl: string, apiUrl: string): Shelf {
  const { table, filter, where } = kept;
  let collection: LiveCollection<Row> | null = null;
  const key = (row: Row): string => JSON.stringify([row["shelf"], row["id"]]);

  const loadFromDatabase = async (): Promise<{ rows: Row[]; snapshot: string }> => {
    const [answer] = await askOnce<{ rows: Row[]; snapshot: string }>(
      databaseUrl,
      `SELECT coalesce(jsonb_agg(rowcast.row_json(t)), '[]') AS rows, pg_current_snapshot()::text AS snapshot
       FROM ${table} t WHERE ${where}`,
    );
    if (!answer) throw new Error("no row came back");
    return answer;
  };
  const loadFromApi = async (): Promise<{ rows: Row[]; snapshot: string }> => {
    const status = filter?.statuses ? `&status=${filter.statuses[0]}` : "";
    const response = await fetch(`${apiUrl}/api/orders?limit=1000${status}`, {
      signal: AbortSignal.timeout(10_000),
    });
    if (!response.ok) throw new Error(`GET /api/orders answered ${response.status}`);
    const { data, snapshot } = (await response.json()) as { data: Row[]; snapshot: string };
    return { rows: data, snapshot };
  };

  return {
    name: `${name}: ${table} where ${where}`,
    attach(sdk) {
      collection?.close();
      collection = liveCollection<Row>({
        client: sdk,
        table,
        key,
        load: table === "orders" ? loadFromApi : loadFromDatabase,
        ...(filter && { filter }),
      });
    },
    async difference() {
      if (collection === null) return ["there is no collection"];
      const state = collection.state.get();
      if (state !== "ready") return [`it is ${state}`];
      const { rows } = await loadFromDatabase();
      const there = new Map<string | number, string>(rows.map((row) => [key(row), sorted(row)]));
      const here = collection.rows.get();
      const wrong: string[] = [];
      for (const [id, row] of here)
        if (there.get(id) !== sorted(row))
          wrong.push(
            `${id} is ${sorted(row).slice(0, 150)}, in the table ${there.get(id)?.slice(0, 150) ?? "it is not"}`,
          );
      for (const id of there.keys()) if (!here.has(id)) wrong.push(`${id} is missing`);
      return wrong;
    },
    close: () => collection?.close(),
  };
}

/** A row as text in which the order of its columns does not matter. */
function sorted(row: Row): string {
  return JSON.stringify(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
