/** What each of the roles can do, and that it can do nothing else. */
import type { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, createDatabase, type TestDatabase } from "../support/postgres.ts";

let database: TestDatabase;
let api: Client;
let listener: Client;
beforeAll(async () => {
  database = await createDatabase();
  api = await connect(database.logins.api);
  listener = await connect(database.logins.listener);
});
afterAll(async () => {
  await api?.end();
  await listener?.end();
  await database?.drop();
});

const DENIED = { code: "42501" };

describe("The Worker's role", () => {
  it("works with orders, and what it writes is captured", async () => {
    await api.query("INSERT INTO orders (customer_name, product_name) VALUES ('a', 'b')");
    await api.query("UPDATE orders SET status = 'shipped'");
    await api.query("SELECT rowcast.row_json(o) FROM orders o FOR UPDATE");
    await api.query("DELETE FROM orders");
    const { rows } = await database.client.query("SELECT operation FROM rowcast.changes ORDER BY id");
    expect(rows.map(({ operation }: { operation: string }) => operation)).toEqual([
      "INSERT",
      "UPDATE",
      "DELETE",
    ]);
  });

  it("reads the outbox for the fallback only through the function that does", async () => {
    await api.query("SELECT rowcast.source()");
    await api.query("SELECT rowcast.check_history(NULL, '1:1:', NULL, NULL, NULL)");
    await api.query("SELECT * FROM rowcast.read(NULL, 10, 1000)");
  });

  it("probes, by the function and no other way, and is told whether that was captured", async () => {
    const { rows } = await api.query("SELECT captured FROM rowcast.probe('a-token-1')");
    expect(rows).toEqual([{ captured: true }]);
    await expect(api.query("SELECT rowcast.probe('''; --')")).rejects.toMatchObject({ code: "22023" });
  });

  it.each([
    "UPDATE rowcast.probes SET token = 'mine'",
    "SELECT * FROM rowcast.probes",
    "SELECT * FROM rowcast.changes",
    `INSERT INTO rowcast.changes ("table", operation) VALUES ('orders', 'INSERT')`,
    "UPDATE rowcast.changes SET data = NULL",
    "DELETE FROM rowcast.changes",
    "TRUNCATE rowcast.changes",
    "SELECT rowcast.prune('1:1:', 1, interval '0', 1)",
    "SELECT rowcast.silence()",
    "SELECT rowcast.watch('orders')",
    "SELECT rowcast.unwatch('orders')",
    "SELECT rowcast.ring()",
    "TRUNCATE orders",
    "ALTER TABLE orders DISABLE TRIGGER USER",
    "DROP TABLE orders",
    "DELETE FROM rowcast.idempotency_keys",
    "CREATE TABLE public.mine (id int)",
    "CREATE TABLE rowcast.mine (id int)",
    "CREATE ROLE mine",
    "SELECT * FROM rowcast_migrations.applied",
  ])("may not: %s", async (statement) => {
    await expect(api.query(statement)).rejects.toMatchObject(DENIED);
  });
});

describe("The listener's role", () => {
  it("listens, reads, prunes, and silences the bell", async () => {
    await listener.query("LISTEN rowcast_changes");
    await listener.query("SELECT rowcast.source(), rowcast.is_silent()");
    await listener.query("SELECT rowcast.check_history(NULL, '1:1:', NULL, NULL, NULL)");
    await listener.query("SELECT * FROM rowcast.read(NULL, 10, 1000)");
    await listener.query("SELECT rowcast.prune('1:1:', 1, interval '1 hour', 10)");
    await listener.query("SELECT rowcast.silence(), pg_advisory_unlock(rowcast.doorbell_lock())");
    await listener.query("SELECT pg_current_xact_id()");
  });

  it.each([
    "SELECT * FROM orders",
    "INSERT INTO orders (customer_name, product_name) VALUES ('a', 'b')",
    "UPDATE orders SET status = 'shipped'",
    "DELETE FROM orders",
    "SELECT * FROM rowcast.changes",
    "DELETE FROM rowcast.changes",
    "SELECT * FROM rowcast.idempotency_keys",
    "SELECT rowcast.watch('orders')",
    "SELECT rowcast.probe('a-token-1')",
    "CREATE TABLE public.mine (id int)",
  ])("may not: %s", async (statement) => {
    await expect(listener.query(statement)).rejects.toMatchObject(DENIED);
  });
});

it("whoever writes to a watched table needs no right on the outbox", async () => {
  await database.client.query(`
    CREATE TABLE memo (id int PRIMARY KEY); SELECT rowcast.watch('memo');
    CREATE ROLE plain_writer; GRANT INSERT ON memo TO plain_writer;
    SET ROLE plain_writer; INSERT INTO memo VALUES (1); RESET ROLE;
    DROP OWNED BY plain_writer; DROP ROLE plain_writer`);
  const { rowCount } = await database.client.query(`SELECT FROM rowcast.changes WHERE "table" = 'memo'`);
  expect(rowCount).toBe(1);
});
