/** A few orders, so that a first look at the dashboard has something to look at. */
import { Client } from "pg";

const SAMPLES = [
  ["Ada Lovelace", "Analytical Engine", "processing", "1250.00"],
  ["Grace Hopper", "Compiler, boxed set", "shipped", "349.90"],
  ["Alan Turing", "Bombe, refurbished", "pending", "980.00"],
  ["Katherine Johnson", "Slide rule", "delivered", "24.50"],
  ["Edsger Dijkstra", "Fountain pen", "completed", "79.00"],
] as const;

/** Inserts them when `orders` is empty. @returns how many. */
export async function insertSamples(databaseUrl: string): Promise<number> {
  const client = new Client({ connectionString: databaseUrl });
  client.on("error", () => undefined); // The query in flight fails with the same error, and tells.
  await client.connect();
  try {
    const { rowCount } = await client.query(
      `INSERT INTO orders (customer_name, product_name, status, amount)
       SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::numeric[])
       WHERE NOT EXISTS (SELECT FROM orders)`,
      [0, 1, 2, 3].map((column) => SAMPLES.map((row) => row[column])),
    );
    return rowCount ?? 0;
  } finally {
    await client.end();
  }
}
