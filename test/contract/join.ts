/** The part of the contract about joining a snapshot of the table and the stream of its changes. */
import { describe, expect, it } from "vitest";
import { liveCollection, type CollectionChange, type LiveCollection } from "../../client/index.ts";
import type { Order } from "../../protocol/orders.ts";
import { ORDER_STATUSES } from "../../protocol/order-status.ts";
import { connect } from "../support/postgres.ts";
import type { Ground } from "./contract.ts";
import { between, seeded } from "./random.ts";

const WRITERS = 3;
const TRANSACTIONS = 160;
const ROWS = 40;

export function describeJoin(ground: Ground): void {
  describe("a live collection", () => {
    it("shows what was in flight while it was loaded, once that is committed", async () => {
      const { stack } = ground;
      const insert = "INSERT INTO orders (customer_name, product_name) VALUES ($1, 'p') RETURNING id";
      const early = await connect(stack.database.url);
      try {
        await early.query("BEGIN");
        const inFlight = await early.query<{ id: number }>(insert, ["in flight"]);
        await stack.database.client.query(insert, ["done"]);
        const { feed } = await ground.open();
        const collection = liveCollection<Order>({
          client: feed,
          table: "orders",
          key: ({ id }) => id,
          load: () => load(stack.url),
        });
        await until(collection, () => collection.state.get() === "ready");
        const id = inFlight.rows[0]?.id ?? Number.NaN;
        expect(collection.rows.get().has(id)).toBe(false);
        await early.query("COMMIT");
        await until(collection, () => collection.rows.get().has(id));
        collection.close();
      } finally {
        await early.end();
      }
    });

    it("is the table, whenever it was opened while others write", async () => {
      const { stack } = ground;
      await stack.database.client.query("TRUNCATE orders");
      await stack.database.client.query(
        `INSERT INTO orders (id, customer_name, product_name) OVERRIDING SYSTEM VALUE
         SELECT i, 'start', 'p' FROM generate_series(1, ${ROWS}) i`,
      );
      const collections: LiveCollection<Order>[] = [];
      const faults: string[] = [];
      const statuses = new Map<LiveCollection<Order>, string>();
      const open = async (status?: Order["status"]): Promise<void> => {
        const { feed } = await ground.open();
        const collection = liveCollection<Order>({
          client: feed,
          table: "orders",
          key: ({ id }) => id,
          load: () => load(stack.url, status),
          ...(status && { filter: { statuses: [status] } }),
        });
        collections.push(collection);
        if (status) statuses.set(collection, status);
        else collection.on("change", (event) => faults.push(...misfit(event)));
        reconnects.push(() => feed.reconnect());
      };
      const reconnects: (() => void)[] = [];

      await open();
      let done = 0;
      const random = seeded(7);
      await Promise.all(
        Array.from({ length: WRITERS }, (_, number) =>
          write(stack.database.url, number, async () => {
            done += 1;
            if (done % 40 === 0) await open();
            if (done === 60) await open("shipped");
            if (done % 25 === 0) collections[between(random, 0, collections.length - 1)]?.reload();
            if (done % 30 === 0) reconnects[between(random, 0, reconnects.length - 1)]?.();
          }),
        ),
      );
      // The last change of all: whoever shows it has everything before it.
      await stack.database.client.query(
        `INSERT INTO orders (id, customer_name, product_name, status) OVERRIDING SYSTEM VALUE
         VALUES (1000, 'end', 'p', 'shipped')`,
      );
      await Promise.all(
        collections.map((collection) =>
          until(collection, () => collection.rows.get().has(1000) && collection.state.get() === "ready"),
        ),
      );

      const { rows } = await stack.database.client.query<{ row: Order }>(
        "SELECT rowcast.row_json(o) AS row FROM orders o ORDER BY id",
      );
      const table = rows.map(({ row }) => row);
      expect(collections.length).toBeGreaterThan(6);
      expect(faults).toEqual([]);
      for (const collection of collections) {
        const status = statuses.get(collection);
        const shown = [...collection.rows.get().values()].toSorted((a, b) => a.id - b.id);
        expect(shown).toEqual(status ? table.filter((row) => row.status === status) : table);
        collection.close();
      }
    });
  });
}

/** What is wrong with applying this change to that row: one that is new was not there, one that changes is as it was. */
function misfit({ change, before }: CollectionChange<Order>): string[] {
  const { operation, seq, old } = change;
  const fits =
    operation === "INSERT"
      ? before === null
      : before !== null &&
        Object.entries(old ?? {}).every(([name, value]) => Object.is(before[name as keyof Order], value));
  return fits
    ? []
    : [`${operation} ${seq} does not fit ${JSON.stringify(before)}: ${JSON.stringify(change)}`];
}

/** Resolves when the condition holds, looked at whenever the collection changes. */
function until(collection: LiveCollection<Order>, condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (condition()) resolve();
    };
    collection.rows.subscribe(look);
    collection.state.subscribe(look);
    look();
  });
}

async function load(url: string, status?: string): Promise<{ rows: Order[]; snapshot: string }> {
  const response = await fetch(`${url}/api/orders?limit=1000${status ? `&status=${status}` : ""}`);
  const { data, snapshot } = (await response.json()) as { data: Order[]; snapshot: string };
  return { rows: data, snapshot };
}

async function write(url: string, number: number, each: () => Promise<void>): Promise<void> {
  const random = seeded(number);
  const client = await connect(url);
  const id = () => between(random, 1, ROWS);
  const status = () => ORDER_STATUSES[between(random, 0, ORDER_STATUSES.length - 1)];
  try {
    for (let step = 0; step < TRANSACTIONS; step += 1) {
      await client.query("BEGIN");
      try {
        for (let statement = between(random, 1, 3); statement > 0; statement -= 1) {
          const kind = random();
          if (kind < 0.25)
            await client.query(
              `INSERT INTO orders (id, customer_name, product_name, status, amount) OVERRIDING SYSTEM VALUE
               VALUES ($1, $2, 'p', $3, 12.50) ON CONFLICT (id) DO UPDATE SET customer_name = excluded.customer_name`,
              [id(), `w${number} ${step}`, status()],
            );
          else if (kind < 0.4) await client.query("DELETE FROM orders WHERE id = $1", [id()]);
          else if (kind < 0.9)
            await client.query("UPDATE orders SET status = $2 WHERE id = $1", [id(), status()]);
          else
            await client.query("UPDATE orders SET product_name = $1 WHERE id % 7 = 0", [
              `p ${number} ${step}`,
            ]);
        }
        if (random() < 0.5) await each(); // in flight, while others load
        await client.query(random() < 0.2 ? "ROLLBACK" : "COMMIT");
      } catch (error) {
        // Writers in each other's way: Postgres chose one, and its transaction is gone like any rolled-back one.
        if ((error as { code?: string }).code !== "40P01") throw error;
        await client.query("ROLLBACK");
      }
    }
  } finally {
    await client.end();
  }
}
