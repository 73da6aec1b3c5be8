/** The commands as scripts run them: processes with pipes for streams, against the whole. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { PROJECT_DIR } from "../../dev/config.ts";
import { startStack, type Stack } from "../support/stack.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
beforeEach(() => stack.database.client.query("TRUNCATE orders RESTART IDENTITY"));
afterAll(() => stack?.stop());

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly said: string;
}

function start(args: readonly string[], url = stack.url) {
  return spawn(process.execPath, [join(PROJECT_DIR, "cli/main.ts"), ...args], {
    env: { PATH: process.env["PATH"], ROWCAST_URL: url },
    stdio: ["pipe", "pipe", "pipe"],
  });
}

async function run(args: readonly string[], input = "", url?: string): Promise<Ran> {
  const child = start(args, url);
  child.stdin.end(input);
  const [[code], out, said] = await Promise.all([
    once(child, "close") as Promise<[number | null]>,
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, out, said };
}

/** The JSON of each line. */
function json({ out }: Ran): unknown[] {
  return out
    .trimEnd()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as unknown);
}

const insert = (count: number, customer = "Ada") =>
  stack.database.client.query(
    "INSERT INTO orders (customer_name, product_name) SELECT $1, 'p' FROM generate_series(1, $2)",
    [customer, count],
  );

test("each command answers in JSON on stdout, says nothing else there, and ends with 0", async () => {
  const args = ["create", "--customer", "Ada", "--product", "Lamp", "--amount", "12.50", "--json"];
  const created = await run(args);
  expect(created).toMatchObject({ code: 0, said: "" });
  expect(json(created)).toMatchObject([{ id: 1, customer_name: "Ada", status: "pending", amount: 12.5 }]);
  expect(json(await run(["update", "1", "--status", "shipped", "--amount", "none", "--json"]))).toMatchObject(
    [{ id: 1, status: "shipped", amount: null }],
  );
  expect(json(await run(["random", "2", "--json"]))).toMatchObject([{ id: 2 }, { id: 3 }]);
  expect(json(await run(["orders", "--json", "--status", "pending"]))).toMatchObject([{ id: 3 }, { id: 2 }]);
  expect(json(await run(["show", "1", "--json"]))).toMatchObject([{ id: 1, product_name: "Lamp" }]);
  expect(json(await run(["bulk", "delivered", "2,3", "77", "--yes", "--json"]))).toEqual([
    { status: "delivered", count: 2, missing: [77] },
  ]);
  expect(json(await run(["stats", "--json"]))).toMatchObject([{ total_orders: 3, delivered_orders: 2 }]);
  expect(json(await run(["status", "--json"]))).toMatchObject([
    { success: true, listener: { status: "live" } },
  ]);
  expect(json(await run(["delete", "1", "--yes", "--json"]))).toMatchObject([{ id: 1 }]);
});

test("into a pipe a table is whole and plain", async () => {
  const name = `Ada ${"Lovelace ".repeat(12)}`.trimEnd();
  await insert(1, name);
  const { code, out } = await run(["orders"]);
  expect(code).toBe(0);
  expect(out).toContain(name);
  expect(out).not.toContain("\u001B");
  expect(out.split("\n")[0]).toMatch(/^id {2}customer +product +status +amount +updated/);
});

test("a refusal ends with 1 and says which field, which option, and what to do, on stderr", async () => {
  const empty = await run(["create", "--customer", " ", "--product", "p"]);
  expect(empty).toMatchObject({ code: 1, out: "" });
  expect(empty.said).toContain("customer_name (--customer): may not be empty");
  const missing = await run(["show", "4711"]);
  expect(missing).toMatchObject({ code: 1, out: "" });
  expect(missing.said).toContain("there is no order 4711 (404 not_found)");
  expect(missing.said).toContain("Fix:");
});

test("what is not understood ends with 2, says why, and does and asks nothing", async () => {
  await insert(1);
  const wrong: [args: string[], words: string][] = [
    [["create", "--customer", "Ada"], "needs --customer and --product"],
    [["update", "1"], "Nothing to change"],
    [["update", "one", "shipped"], "whole number"],
    [["orders", "--status", "lost"], "A status is one of pending"],
    [["bulk", "shipped", "--yes"], "Which orders?"],
    [["bulk", "shipped", "1", "--all"], "not several"],
    [["delete", "1"], "--yes"],
    [["fly"], "unknown command 'fly'"],
  ];
  await Promise.all(
    wrong.map(async ([args, words]) => {
      const { code, out, said } = await run(args);
      expect({ args, code, out }).toEqual({ args, code: 2, out: "" });
      expect(said).toContain(words);
    }),
  );
  const { rows } = await stack.database.client.query("SELECT status FROM orders");
  expect(rows).toEqual([{ status: "pending" }]);
});

test("nobody there, or somebody else, ends with 3", async () => {
  const nobody = await run(["stats", "--url", "http://127.0.0.1:1"]);
  expect(nobody).toMatchObject({ code: 3, out: "" });
  expect(nobody.said).toContain("--url or ROWCAST_URL");
  const other = createServer((_request, response) => response.end("<html>"));
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as AddressInfo;
  const stranger = await run(["--url", `http://127.0.0.1:${port}`, "stats"]);
  other.close();
  expect(stranger.code).toBe(3);
  expect(stranger.said).toContain("is not Rowcast");
});

test("a reader that has enough ends it quietly", async () => {
  await insert(3000);
  const child = start(["orders", "--all", "--json"]);
  const said = text(child.stderr);
  await once(child.stdout, "data");
  child.stdout.destroy();
  expect(await once(child, "close")).toEqual([0, null]);
  expect(await said).toBe("");
});

test("what a terminal would obey is escaped in JSON too, and means the same", async () => {
  const name = "\u009B31m\u202E\u007F\u{E0001}evil\u001B[2J";
  await insert(1, name);
  const ran = await run(["orders", "--json"]);
  expect(ran.out).toMatch(/^[\x20-\x7e]+\n$/);
  expect(json(ran)).toMatchObject([{ customer_name: name }]);
});

test("bulk finds what matches, more than fit one request", async () => {
  await insert(1500, "Many");
  await insert(2, "Few");
  const ran = await run([
    "bulk",
    "cancelled",
    "--customer",
    "many",
    "--status",
    "pending",
    "--yes",
    "--json",
  ]);
  expect(json(ran)).toEqual([{ status: "cancelled", count: 1500, missing: [] }]);
  const { rows } = await stack.database.client.query("SELECT id FROM orders WHERE status = 'pending'");
  expect(rows).toHaveLength(2);
});

test("lines that are piped in run one by one, until one fails", async () => {
  const good = await run(
    [],
    "# two orders\nrandom 2 --json\n\nupdate 1 --product 'Desk lamp'\norders --json\n",
  );
  expect(good.code).toBe(0);
  expect(good.out).toContain("Order 1 updated");
  expect(good.out.trimEnd().split("\n")).toHaveLength(5);
  const bad = await run([], "show 99\nrandom\n");
  expect(bad).toMatchObject({ code: 1, out: "" });
  expect(await run([], "fly\nrandom\n")).toMatchObject({ code: 2, out: "" });
});

test("every write has a key, and one whose answer was lost is sent again with it, and done once", async () => {
  const seen: { method: string; key: string | undefined }[] = [];
  const cutter = createServer((incoming, response) => {
    const key = incoming.headers["idempotency-key"]?.toString();
    const { method = "", url, headers } = incoming;
    const isFirst = method !== "GET" && !seen.some((write) => write.key === key);
    if (method !== "GET") seen.push({ method, key });
    const onward = request(`${stack.url}${url}`, { method, headers }, (answer) => {
      // It has been done, and nobody hears of it.
      if (isFirst) return void response.destroy();
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => cutter.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(cutter.address() as AddressInfo).port}`;
  const writes = [
    ["create", "--customer", "Ada", "--product", "Lamp", "--key", "my own"],
    ["update", "1", "shipped"],
    ["bulk", "delivered", "1", "--yes"],
    ["delete", "1", "--yes"],
  ];
  for (const args of writes) expect(await run(args, "", url)).toMatchObject({ code: 0, said: "" });
  cutter.close();
  expect(seen.map(({ method }) => method)).toEqual(
    ["POST", "PUT", "PATCH", "DELETE"].flatMap((method) => [method, method]),
  );
  const keys = seen.map(({ key }) => key);
  expect(keys[0]).toBe("my own");
  for (let write = 0; write < keys.length; write += 2) expect(keys[write]).toBe(keys[write + 1]);
  expect(new Set(keys).size).toBe(4);
  const { rows } = await stack.database.client.query("SELECT id FROM orders");
  expect(rows).toEqual([]);
});

test("watch goes on from a position, with only the statuses asked for", async () => {
  const status = await run(["status", "--json"]);
  const { position } = json(status)[0] as { position: string };
  await insert(1);
  await stack.database.client.query("UPDATE orders SET status = 'shipped'");
  await insert(1);
  const child = start(["watch", "--json", "--since", position, "--status", "shipped"]);
  let out = "";
  for await (const chunk of child.stdout) {
    out += String(chunk);
    if (out.endsWith("\n")) break;
  }
  child.kill("SIGINT");
  expect(await once(child, "close")).toEqual([0, null]);
  expect(JSON.parse(out)).toMatchObject({ operation: "UPDATE", data: { id: 1, status: "shipped" } });
});
