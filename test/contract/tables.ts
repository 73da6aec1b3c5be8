/** Tables for single tests, and a way to look at what came. */
import type { Client } from "pg";
import type { Change } from "../../protocol/change.ts";

export interface Table {
  readonly name: string;
  watch(): Promise<void>;
}

let tables = 0;

/** A new watched table. */
export async function makeTable(
  client: Client,
  columns = "id int PRIMARY KEY, value text",
  { watched = true } = {},
): Promise<Table> {
  tables += 1;
  const name = `contract_${tables}`;
  await client.query(`CREATE TABLE public.${name} (${columns})`);
  const table: Table = {
    name,
    async watch() {
      await client.query(`SELECT rowcast.watch('public.${name}')`);
    },
  };
  if (watched) await table.watch();
  return table;
}

/** These fields of every change, in order. */
export function pick<K extends keyof Change>(changes: readonly Change[], ...fields: K[]): Change[K][][] {
  return changes.map((change) => fields.map((field) => change[field]));
}
