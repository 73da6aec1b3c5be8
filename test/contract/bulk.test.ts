/** The largest statement of all, over the transport that everyone uses, with an eye on what it costs. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient, type Client } from "../../client/index.ts";
import { parsePosition } from "../../protocol/position.ts";
import { memoryOf, workerdProcesses } from "../support/stack-memory.ts";
import { startStack, type Stack } from "../support/stack.ts";

const ROWS = 100_000;
/** Buffers and garbage of the steady state, several times over what was measured; the changes themselves are 60 MB of text. */
const MAX_GROWTH = { worker: 400e6, listener: 200e6 };
/**
 * From the first half of the changes to the second: what is kept for each change would show here. (Garbage that is not
 * collected yet makes some 90 MB of difference on a machine that is busy with other things.)
 */
const MAX_CREEP = 120e6;
const SAMPLE_MS = 100;

let stack: Stack;
let client: Client;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(async () => {
  client?.close();
  await stack?.stop();
});

test("an UPDATE of 100,000 orders arrives, every one, in order, and memory stays bounded", async () => {
  const { client: sql } = stack.database;
  await sql.query("SELECT rowcast.unwatch('orders')"); // so that only the UPDATE travels
  await sql.query(
    `INSERT INTO orders (customer_name, product_name)
     SELECT 'Customer ' || i, repeat('product ', 25) FROM generate_series(1, ${ROWS}) i`,
  );
  await sql.query("SELECT rowcast.watch('orders')");

  client = createClient({ url: stack.url, transports: ["websocket"] });
  const opened = Promise.withResolvers<void>();
  client.on("welcome", () => opened.resolve());
  await opened.promise;
  let expected = parsePosition(client.position ?? "")?.seq ?? Number.NaN;
  const faults: string[] = [];
  const ids = new Set<unknown>();
  const arrived = Promise.withResolvers<void>();
  client.on("gap", ({ expected, got }) => faults.push(`a gap: ${got} where ${expected} should be`));
  client.on("reset", ({ reason }) => faults.push(`a reset: ${reason}`));
  client.on("changes", ({ changes }) => {
    for (const { seq, data, old } of changes) {
      expected += 1;
      if (seq !== expected) faults.push(`${seq} where ${expected} should be`);
      if (data?.["status"] !== "shipped" || old?.["status"] !== "pending")
        faults.push(`${seq} is another change`);
      ids.add(data?.["id"]);
    }
    if (ids.size === ROWS || faults.length > 0) arrived.resolve();
  });

  const workerd = await workerdProcesses();
  const memory = async () => ({
    worker: await memoryOf(workerd),
    listener: await memoryOf([stack.listenerPid]),
  });
  const before = await memory();
  const peaks = { first: before, second: before };
  const timer = setInterval(() => {
    const half = ids.size < ROWS / 2 ? "first" : "second";
    void memory().then((now) => {
      peaks[half] = {
        worker: Math.max(peaks[half].worker, now.worker),
        listener: Math.max(peaks[half].listener, now.listener),
      };
    });
  }, SAMPLE_MS);
  await sql.query("UPDATE orders SET status = 'shipped'");
  await arrived.promise;
  clearInterval(timer);

  expect(faults).toEqual([]);
  expect(ids.size).toBe(ROWS);
  for (const part of ["worker", "listener"] as const) {
    expect(before[part]).toBeGreaterThan(10e6); // measured at all
    expect(peaks.second[part] - before[part]).toBeLessThan(MAX_GROWTH[part]);
    expect(peaks.second[part] - peaks.first[part]).toBeLessThan(MAX_CREEP);
  }
}, 180_000);
