/** Every change exactly once and in order, whatever dies. */
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from "node:net";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import type { AppendRequest } from "../../protocol/ingest.ts";
import { connect } from "../support/postgres.ts";
import { idsIn, setStage } from "./stage.ts";

const stage = setStage();

test("SIGKILL amid a batch, and a new listener", async () => {
  const log = await stage.openLog();
  const after = await stage.lastId();
  const first = await stage.startReady(log);
  log.fail("held");
  await stage.insert(100);
  await log.until(() => log.outcomes.includes("held"));
  await first.end("SIGKILL");
  await stage.startReady(log);
  await stage.insert(1);
  await log.until(() => log.changes.length >= 101);
  expect(idsIn(log)).toEqual(await stage.outboxIds(after));
});

test("Postgres ends its session", async () => {
  const log = await stage.openLog();
  const after = await stage.lastId();
  const listener = await stage.startReady(log);
  await endSessions();
  await stage.insert(20);
  await log.until(() => log.changes.length >= 20);
  expect(idsIn(log)).toEqual(await stage.outboxIds(after));
  await listener.line("reconnecting to Postgres");
});

test("Postgres ends its session while a batch is under way", async () => {
  const log = await stage.openLog();
  const after = await stage.lastId();
  await stage.startReady(log);
  log.fail("held");
  await stage.insert(20);
  await log.until(() => log.outcomes.includes("held"));
  await endSessions();
  await log.until(() => log.changes.length >= 20);
  expect(idsIn(log)).toEqual(await stage.outboxIds(after));
});

test("the connection to Postgres is open and dead", async () => {
  const log = await stage.openLog();
  const after = await stage.lastId();
  const proxy = await startProxy(Number(new URL(stage.database.url).port));
  const url = new URL(stage.database.url);
  url.port = String(proxy.port);
  const listener = await stage.startReady(log, {
    DATABASE_URL: url.href,
    KEEPALIVE_MS: "200",
    ANSWER_TIMEOUT_MS: "500",
  });
  proxy.freeze();
  await stage.insert(5);
  await log.until(() => log.changes.length >= 5);
  expect(idsIn(log)).toEqual(await stage.outboxIds(after));
  expect(await listener.line("reconnecting to Postgres")).toHaveProperty("reason", "no answer in 500 ms");
});

test("the Worker answers 503 for a while, and is cut off", async () => {
  const log = await stage.openLog();
  const after = await stage.lastId();
  const listener = await stage.startReady(log);
  log.fail(503, 503, "cut", 503);
  await stage.insert(30);
  await log.until(() => log.changes.length >= 30);
  await listener.line("the Worker answers again");
  expect(idsIn(log)).toEqual(await stage.outboxIds(after));
});

test("the batch was stored and the answer lost", async () => {
  const log = await stage.openLog();
  const after = await stage.lastId();
  await stage.startReady(log);
  log.fail("answer lost");
  await stage.insert(10);
  await log.until(() => log.changes.length >= 10);
  expect(idsIn(log)).toEqual(await stage.outboxIds(after));
  await log.until(() => log.outcomes.includes("conflict"));
});

test("the Worker never answers", async () => {
  const log = await stage.openLog();
  const after = await stage.lastId();
  const listener = await stage.startReady(log, { ANSWER_TIMEOUT_MS: "300" });
  log.fail("held");
  await stage.insert(1);
  await log.until(() => log.changes.length >= 1);
  expect(idsIn(log)).toEqual(await stage.outboxIds(after));
  expect(await listener.line("the Worker does not answer")).toHaveProperty("reason", "no answer in 300 ms");
});

test("a batch is too large for the Worker: it comes in halves", async () => {
  const log = await stage.openLog();
  await (await stage.startReady(log)).end("SIGTERM");
  const after = await stage.lastId();
  await stage.insert(8);
  log.fail(413, 413);
  await stage.startReady(log);
  expect(idsIn(log)).toEqual(await stage.outboxIds(after));
  const sizes = log.bodies.map((body) => (JSON.parse(body) as AppendRequest).changes.length);
  expect(sizes.filter((size) => size > 0)).toEqual([2, 2, 2, 2]);
});

test("one change alone is too large for the Worker: it comes without its row", async () => {
  const log = await stage.openLog();
  await stage.startReady(log);
  log.fail(413);
  await stage.database.client.query(
    "INSERT INTO orders (customer_name, product_name) VALUES ('Jane', repeat('x', 200000))",
  );
  await log.until(() => log.changes.length > 0);
  expect(log.changes).toMatchObject([{ operation: "INSERT", data: null, truncated: true }]);
});

test("another listener was faster: it goes on from where the log stands", async () => {
  const log = await stage.openLog();
  const after = await stage.lastId();
  const first = await stage.startReady(log);
  log.fail("held");
  await stage.insert(5);
  await log.until(() => log.outcomes.includes("held"));
  const second = await stage.startReady(log);
  await second.end("SIGTERM");
  log.release();
  await first.line("conflict");
  await stage.insert(5);
  await log.until(() => log.changes.length >= 10);
  expect(idsIn(log)).toEqual(await stage.outboxIds(after));
});

test("the database was set back: the log begins anew, once, and says why", async () => {
  const log = await stage.openLog();
  const first = await stage.startReady(log);
  await stage.insert(3);
  await log.until(() => log.changes.length === 3);
  await first.end("SIGTERM");
  await stage.database.client.query("TRUNCATE rowcast.changes");
  await stage.startReady(log);
  expect(log.restarts).toHaveLength(1);
  await stage.insert(2);
  await log.until(() => log.changes.length === 5);
  expect(log.restarts).toHaveLength(1);
});

test("the log followed another database: it begins anew", async () => {
  const log = await stage.openLog();
  log.state = { source: "another", cursor: "1:1:", last: null, position: "e0.0" };
  const listener = await stage.startReady(log);
  expect(log.restarts).toHaveLength(1);
  await listener.line("the log begins anew: the history changed");
  await stage.insert(1);
  await log.until(() => log.changes.length === 1);
});

test("a wrong secret is named, and does not end it", async () => {
  const log = await stage.openLog();
  const listener = stage.start(log, { INGEST_SECRET: "not-the-one" });
  const line = await listener.line("the Worker refuses");
  expect(line["reason"]).toContain("INGEST_SECRET");
  expect((await listener.end("SIGTERM")).code).toBe(0);
});

test("all of it at once: writers side by side, two listeners, one of them killed again and again", async () => {
  const log = await stage.openLog();
  const after = await stage.lastId();
  await stage.startReady(log);
  let victim = await stage.startReady(log);
  let writing = true;
  const writers = Promise.all(Array.from({ length: 4 }, (_, n) => write(n))).finally(() => (writing = false));
  const killer = (async () => {
    while (writing) {
      const stored = log.changes.length;
      log.fail("answer lost", "cut");
      await Promise.race([log.until(() => log.changes.length > stored + 20), writers]);
      await victim.end("SIGKILL");
      victim = await stage.startReady(log);
    }
  })();
  await Promise.all([writers, killer]);
  await stage.insert(1);
  const expected = await stage.outboxIds(after);
  await log.until(() => log.changes.length >= expected.length);
  // Between transactions the order is that of their commits; for one row, that of the ids.
  expect(idsIn(log).toSorted((a, b) => Number(a) - Number(b))).toEqual(expected);
  const latest = new Map<string, bigint>();
  for (const { id, key } of log.changes) {
    const row = JSON.stringify(key);
    expect(BigInt(id)).toBeGreaterThan(latest.get(row) ?? 0n);
    latest.set(row, BigInt(id));
  }
}, 60_000);

/** Fifty transactions on rows that all writers share, every fifth rolled back. */
async function write(writer: number): Promise<void> {
  const client = await connect(stage.database.url);
  for (let i = 0; i < 50; i++) {
    await client.query("BEGIN");
    await client.query(
      `INSERT INTO orders (id, customer_name, product_name) VALUES ($1, 'Shared', $2)
       ON CONFLICT (id) DO UPDATE SET product_name = excluded.product_name`,
      [900_000 + (i % 3), `Lamp ${writer}-${i}`],
    );
    await client.query("INSERT INTO orders (customer_name, product_name) VALUES ('Own', 'Lamp')");
    await client.query(i % 5 === 0 ? "ROLLBACK" : "COMMIT");
  }
  await client.end();
}

async function endSessions(): Promise<void> {
  await stage.database.client.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE application_name = 'rowcast listener' AND datname = current_database()`,
  );
}

/** A way to Postgres whose present connections can be made to carry nothing more, without closing them. */
async function startProxy(to: number): Promise<{ port: number; freeze(): void }> {
  const pairs = new Set<[Socket, Socket]>();
  const server = createServer((near) => {
    const far = connectTcp(to, "127.0.0.1");
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    near.pipe(far);
    far.pipe(near);
    for (const socket of pair) socket.on("error", () => pair.forEach((each) => each.destroy()));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    freeze() {
      for (const [near, far] of pairs) {
        near.unpipe().pause();
        far.unpipe().pause();
      }
    },
  };
}
