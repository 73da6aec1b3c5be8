import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventSourceParserStream } from "eventsource-parser/stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findFreePort, isPortFree } from "../../dev/ports.ts";
import { localDatabaseUrl } from "../../dev/postgres.ts";
import { connect } from "../support/postgres.ts";
import { processesNaming, runStart, type StartProcess } from "./start-process.ts";

const READY_TIMEOUT_MS = 90_000;

let folder: string;
let port: number;
let pgPort: number;
let variables: Record<string, string>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rowcast-test-"));
  await chmod(folder, 0o755);
  port = await findFreePort();
  pgPort = await findFreePort();
  variables = {
    PORT: String(port),
    PG_PORT: String(pgPort),
    DATA_DIR: join(folder, "data"),
    ROWCAST_DEV_VARS: join(folder, "dev.vars"),
  };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Inserts an order of this name, waits until it is on the stream, and returns what the stream showed. */
async function insertAndSee(customerName: string): Promise<string> {
  const reading = new AbortController();
  const response = await fetch(`http://localhost:${port}/sse`, { signal: reading.signal });
  const client = await connect(localDatabaseUrl(pgPort));
  try {
    const body = response.body ?? expect.fail("no stream");
    const events = body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
    for await (const { event, data } of events) {
      if (event === "welcome") {
        await client.query("INSERT INTO orders (customer_name, product_name) VALUES ($1, 'x')", [
          customerName,
        ]);
      }
      if (event === "orders:insert" && data.includes(customerName)) return data;
    }
    return expect.fail("the stream ended");
  } finally {
    reading.abort();
    await client.end();
  }
}

describe("npm start", () => {
  let start: StartProcess;
  beforeAll(async () => {
    start = runStart(variables);
    await start.line(/^ready /);
  }, READY_TIMEOUT_MS);
  afterAll(() => {
    try {
      process.kill(start.pid, "SIGKILL"); // Its guard ends what it started.
    } catch {
      // Stopped by the tests, as it should be.
    }
  });

  test("its last line is where to look, and there a change in Postgres is seen", async () => {
    expect(start.lines.findLast((line) => !line.startsWith("worker"))).toBe(`ready http://localhost:${port}`);
    expect(await insertAndSee("seen at once")).toContain('"operation":"INSERT"');
  });

  test("an empty table gets a few sample orders, and the probe leaves nothing behind", async () => {
    const client = await connect(localDatabaseUrl(pgPort));
    const { rows } = await client.query(
      "SELECT count(*)::int AS orders, to_regnamespace('rowcast_start') AS probe FROM orders WHERE id <= 5",
    );
    await client.end();
    expect(rows).toEqual([{ orders: 5, probe: null }]);
  });

  test("a second start says that the first one runs, and ends", async () => {
    const second = runStart(variables);
    expect(await second.exitCode).toBe(1);
    expect(second.lines.join("\n")).toContain(
      `Already running: process ${start.pid}, http://localhost:${port}`,
    );
  });

  test.for([
    ["PORT", "PG_PORT"],
    ["PG_PORT", "PORT"],
  ] as const)(
    "%s taken by the first: a second on another folder names it and ends",
    async ([taken, moved]) => {
      const free = String(await findFreePort());
      const second = runStart({ ...variables, [moved]: free, DATA_DIR: join(folder, "other") });
      expect(await second.exitCode).toBe(1);
      expect(second.lines.join("\n")).toContain(`is taken. Free it, or set ${taken} to another.`);
    },
  );

  test.runIf(process.platform === "linux")(
    "a listener that is killed is named and started again, and nothing is missed",
    async () => {
      const [listener] = processesNaming("listener/main.ts").filter((pid) =>
        processesNaming(`@127.0.0.1:${pgPort}/rowcast`).includes(pid),
      );
      process.kill(listener ?? expect.fail("no listener"), "SIGKILL");
      await start.line(/listener ended \(SIGKILL\): starting it again/);
      expect(await insertAndSee("after the kill")).toContain("after the kill");
    },
  );

  test.runIf(process.platform === "linux")(
    "Postgres killed outright comes back, and changes flow again",
    async () => {
      const [server] = processesNaming(`-p\0${pgPort}\0`);
      process.kill(server ?? expect.fail("no Postgres"), "SIGKILL");
      await start.line(/postgres ended \(SIGKILL\): starting it again/);
      await expect
        .poll(() => insertAndSee("after the crash").catch(() => ""), { timeout: 25_000 })
        .toContain("INSERT");
    },
  );

  test("SIGTERM ends everything within seconds, with exit code 0 and no process left", async () => {
    const askedAt = performance.now();
    process.kill(start.pid, "SIGTERM");
    expect(await start.exitCode).toBe(0);
    expect(performance.now() - askedAt).toBeLessThan(10_000);
    expect(await isPortFree(port)).toBe(true);
    expect(await isPortFree(pgPort)).toBe(true);
    // The guard learns of our end a moment after it.
    if (process.platform === "linux") await expect.poll(() => processesNaming(folder)).toEqual([]);
  });
});

test(
  "the next start keeps the data and the history, and adds no samples",
  { timeout: READY_TIMEOUT_MS },
  async () => {
    const start = runStart(variables);
    await start.line(/^ready /);
    const answer = await fetch(`http://localhost:${port}/api/orders?customer_name=seen`);
    const body = (await answer.json()) as { count: number; data: { customer_name: string }[] };
    process.kill(start.pid, "SIGINT");
    expect(await start.exitCode).toBe(0);
    expect(body.data.map((order) => order.customer_name)).toEqual(["seen at once"]);
    expect(start.lines.join("\n")).not.toMatch(/applying|sample/);
  },
);

test.runIf(process.platform === "linux")(
  "killed outright, it leaves no process either",
  { timeout: READY_TIMEOUT_MS },
  async () => {
    const start = runStart(variables);
    await start.line(/^ready /);
    process.kill(start.pid, "SIGKILL");
    await expect.poll(() => processesNaming(folder), { timeout: 20_000, interval: 250 }).toEqual([]);
  },
);

test("a part that cannot start ends everything, with a message and exit code 1", async () => {
  const holder = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => holder.once("listening", resolve));
  const address = holder.address();
  const nobody = typeof address === "object" && address !== null ? address.port : 0;
  holder.close();
  const start = runStart({ ...variables, DATABASE_URL: `postgres://me:secret@127.0.0.1:${nobody}/shop` });
  expect(await start.exitCode).toBe(1);
  expect(start.lines.join("\n")).toMatch(new RegExp(`127\\.0\\.0\\.1:${nobody} does not let us in`));
  expect(start.lines.join("\n")).not.toContain("secret");
});
