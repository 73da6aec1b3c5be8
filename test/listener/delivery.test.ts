/** What arrives when nothing goes wrong, and how much memory it takes. */
import { expect, test } from "vitest";
import { connect } from "../support/postgres.ts";
import { idsIn, setStage } from "./stage.ts";

const stage = setStage();

test("a committed change arrives, a rolled-back one does not", async () => {
  const log = await stage.openLog();
  const after = await stage.lastId();
  await stage.startReady(log);
  const { client } = stage.database;
  await client.query("BEGIN");
  await stage.insert(1);
  await client.query("ROLLBACK");
  await stage.insert(1);
  await log.until(() => log.changes.length > 0);
  expect(idsIn(log)).toEqual(await stage.outboxIds(after));
  expect(log.changes).toMatchObject([
    { table: "orders", operation: "INSERT", data: { customer_name: "Jane" } },
  ]);
});

test("a change whose id came first and whose commit came last is not skipped", async () => {
  const log = await stage.openLog();
  const after = await stage.lastId();
  await stage.startReady(log);
  const slow = await connect(stage.database.url);
  await slow.query("BEGIN");
  await slow.query("INSERT INTO orders (customer_name, product_name) VALUES ('Slow', 'Lamp')");
  await stage.insert(1);
  await log.until(() => log.changes.length === 1);
  await slow.query("COMMIT");
  await slow.end();
  await log.until(() => log.changes.length === 2);
  expect(idsIn(log).toReversed()).toEqual(await stage.outboxIds(after));
});

test("numbers arrive with every digit", async () => {
  const log = await stage.openLog();
  await stage.startReady(log);
  await stage.database.client.query(
    `INSERT INTO rowcast.changes ("table", operation, key, data)
     VALUES ('t', 'INSERT', '{"id":9007199254740993}', '{"n":12345678901234567890.10}')`,
  );
  await stage.insert(1);
  await log.until(() => log.changes.length > 0);
  expect(log.bodies.at(-1)).toMatch(/9007199254740993\b.*12345678901234567890\.10\b/);
});

test("changes made while it was away arrive when it is back, a batch at a time", async () => {
  const log = await stage.openLog();
  const first = await stage.startReady(log);
  const after = await stage.lastId();
  await first.end("SIGTERM");
  await stage.insert(100);
  const posts = log.outcomes.length;
  await stage.startReady(log, { BATCH_CHANGES: "40" });
  expect(idsIn(log)).toEqual(await stage.outboxIds(after));
  expect(log.outcomes.slice(posts)).toEqual(["stored", "stored", "stored"]);
});

test("of two listeners, each change is stored from one", async () => {
  const log = await stage.openLog();
  const after = await stage.lastId();
  await Promise.all([stage.startReady(log), stage.startReady(log)]);
  await stage.insert(60);
  await log.until(() => log.changes.length >= 60);
  expect(idsIn(log)).toEqual(await stage.outboxIds(after));
});

test("with no doorbell, the keepalive finds the change and tells the log that the listener lives", async () => {
  const log = await stage.openLog();
  await stage.startReady(log, { KEEPALIVE_MS: "100" });
  await log.until(() => log.outcomes.includes("heartbeat"));
  await stage.database.client.query(
    `INSERT INTO rowcast.changes ("table", operation, key, data) VALUES ('quiet', 'INSERT', '{"id":1}', '{"id":1}')`,
  );
  await log.until(() => log.changes.length === 1);
  const heartbeats = countHeartbeats();
  await log.until(() => countHeartbeats() > heartbeats);

  function countHeartbeats(): number {
    return log.outcomes.filter((outcome) => outcome === "heartbeat").length;
  }
});

test(
  "an update of 100,000 rows arrives whole and in order, in bounded memory",
  { timeout: 120_000 },
  async () => {
    const log = await stage.openLog();
    const { client } = stage.database;
    await client.query(
      "INSERT INTO orders (customer_name, product_name) SELECT 'Bulk', 'Lamp ' || n FROM generate_series(1, 100000) n",
    );
    const listener = await stage.startReady(log);
    const idle = await listener.peakMemory();
    await client.query("UPDATE orders SET status = 'shipped' WHERE customer_name = 'Bulk'");
    const committedAt = performance.now();
    await log.until(() => log.changes.length >= 100_000);
    console.log(`100,000 changes arrived in ${Math.round(performance.now() - committedAt)} ms`);
    const { rows } = await client.query("SELECT id FROM orders WHERE customer_name = 'Bulk' ORDER BY ctid");
    expect(log.changes.map(({ key }) => key?.["id"])).toEqual(rows.map(({ id }) => id));
    const peak = await listener.peakMemory();
    if (idle === null || peak === null) return;
    console.log(`memory: ${Math.round(idle / 1e6)} MB idle, ${Math.round(peak / 1e6)} MB at most`);
    // The changes are more than 40 MB of text, so a second place that piled them up would show.
    expect(peak - idle).toBeLessThan(150e6);
  },
);

test("delivered rows older than the retention are pruned, the last one stays", async () => {
  await stage.database.client.query("TRUNCATE rowcast.changes");
  const log = await stage.openLog();
  await (await stage.startReady(log)).end("SIGTERM");
  await stage.insert(10);
  const listener = await stage.startReady(log, { OUTBOX_RETENTION_MS: "0" });
  await listener.line("pruned");
  await listener.end("SIGTERM");
  expect(await stage.outboxIds()).toEqual(idsIn(log).slice(-1));
  // And what is left is enough to know the history again.
  await stage.insert(1);
  await stage.startReady(log);
  expect(log.changes).toHaveLength(11);
  expect(log.restarts).toEqual([]);
});
