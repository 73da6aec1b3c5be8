/** The shell in a pty, against the whole: what is on the screen while somebody types and the table changes. */
import { stat, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { startStack, type Stack } from "../support/stack.ts";
import { KEYS, openTerminal, stateFolder, type Terminal } from "./cli-terminal.ts";

let stack: Stack;
let folder: Awaited<ReturnType<typeof stateFolder>>;
let terminals: Terminal[] = [];

beforeAll(async () => {
  stack = await startStack();
});
beforeEach(async () => {
  folder = await stateFolder();
});
afterEach(async () => {
  for (const terminal of terminals) terminal.kill();
  terminals = [];
  await folder.remove();
});
afterAll(() => stack?.stop());

/** A shell that is live. */
async function shell(columns = 80, env: Record<string, string> = {}): Promise<Terminal> {
  const terminal = openTerminal([], { url: stack.url, columns, state: folder.path, env });
  terminals.push(terminal);
  await terminal.until(() => terminal.typed() === "rowcast>");
  return terminal;
}

/** Types a command; resolves when the text has appeared. */
async function run(terminal: Terminal, line: string, text: string): Promise<void> {
  terminal.type(`${line}${KEYS.enter}`);
  await terminal.shows(text);
}

async function insert(customer: string): Promise<number> {
  const { rows } = await stack.database.client.query<{ id: number }>(
    "INSERT INTO orders (customer_name, product_name, amount) VALUES ($1, 'Desk lamp', 12.5) RETURNING id",
    [customer],
  );
  return rows[0]?.id ?? 0;
}

test("a change arrives above half a typed line, which stays as it is, and goes on", async () => {
  const terminal = await shell();
  terminal.type("orders --customer Gr");
  await terminal.until(() => terminal.typed() === "rowcast> orders --customer Gr");
  terminal.type(KEYS.left.repeat(2));
  await insert("Grace");
  await terminal.shows("customer_name=Grace");
  expect(terminal.typed()).toBe("rowcast> orders --customer Gr");
  const at = terminal.lines().findIndex((line) => line.includes("INSERT") && line.includes("Grace"));
  expect(terminal.lines()[at + 1]).toBe("rowcast> orders --customer Gr");
  // The cursor is still where it was: before the Gr.
  terminal.type("hop, ");
  await terminal.until(() => terminal.typed() === "rowcast> orders --customer hop, Gr");
});

test("a line that has wrapped stays whole while changes come, and when the terminal changes its width", async () => {
  const terminal = await shell(40);
  const line = `orders --customer ${"abcdefghi ".repeat(6)}end`;
  terminal.type(line);
  await terminal.until(() => terminal.typed() === `rowcast> ${line}`);
  for (const name of ["First", "Second"]) {
    await insert(name);
    await terminal.shows(`customer_name=${name}`);
    expect(terminal.typed()).toBe(`rowcast> ${line}`);
  }
  expect(terminal.lines().filter((text) => text.startsWith("rowcast>"))).toHaveLength(1);
  const top = terminal.lines().findIndex((text) => text.includes("customer_name=First"));
  expect(terminal.lines()[top + 1]).toContain("customer_name=Second");
  for (const columns of [30, 60, 120]) {
    terminal.resize(columns);
    await terminal.until(() => terminal.typed() === `rowcast> ${line}`);
    await insert(`At${columns}`);
    await terminal.shows(`customer_name=At${columns}`);
    expect(terminal.typed()).toBe(`rowcast> ${line}`);
  }
});

test("all commands work, and what they write is shown live", async () => {
  await stack.database.client.query("TRUNCATE orders RESTART IDENTITY");
  const terminal = await shell(100);
  await run(terminal, 'create --customer "Ada Lovelace" --product Lamp --amount 3', "Order 1 created");
  await run(terminal, "update 1 shipped", "Order 1 updated");
  await terminal.shows("status pending → shipped");
  await run(terminal, "random 2", "Made order 3");
  await run(terminal, "orders pending", "2 orders");
  await run(terminal, "show 1", "customer_name  Ada Lovelace");
  await run(terminal, "bulk delivered 1 2 3 9 --yes", "3 orders are now delivered");
  await terminal.shows("not there: 9");
  await run(terminal, "stats", "delivered     3");
  await run(terminal, "status", "live over websocket");
  await run(terminal, "delete 1 -y", "Order 1 deleted");
  await run(terminal, "update 1 shipped", "there is no order 1");
  await run(terminal, "update 2 --product ' '", "product_name (--product): may not be empty");
  await run(terminal, "upd 2", "Did you mean update?");
  await run(terminal, "orders 'x", "A quote is not closed");
  await run(terminal, "help", "bulk [options] <status> [ids...]");
  terminal.type(`quit${KEYS.enter}`);
  expect(await terminal.exit).toBe(0);
});

test("create asks, holding the changes back until it has its answers", async () => {
  const terminal = await shell();
  terminal.type(`create --product Lamp${KEYS.enter}`);
  await terminal.shows("Customer");
  await insert("Meanwhile");
  terminal.type(`Hedy${KEYS.enter}`);
  await terminal.shows("Status");
  terminal.type(`${KEYS.down}${KEYS.enter}`);
  await terminal.shows("Amount");
  expect(terminal.lines().join("\n")).not.toContain("Meanwhile");
  terminal.type(`12.345x${KEYS.enter}`);
  await terminal.shows("An amount is a number like 12.50");
  terminal.type(`\u007F\u007F\u007F${KEYS.enter}`);
  await terminal.shows("customer_name=Meanwhile");
  await terminal.shows("customer_name=Hedy product_name=Lamp status=processing amount=12.3");
  await terminal.until(() => terminal.typed() === "rowcast>");
});

test("delete and bulk ask before, say how many, and do nothing on no or Ctrl-C", async () => {
  await stack.database.client.query("TRUNCATE orders RESTART IDENTITY");
  await insert("Ada");
  await insert("Ada");
  const terminal = await shell();
  await run(terminal, "delete 1", "Delete order 1 (Ada, Desk lamp, pending)?");
  terminal.type(KEYS.enter);
  await terminal.shows("Nothing was deleted.");
  await run(terminal, "bulk shipped --customer ada", "Set 2 orders to shipped?");
  terminal.type(KEYS.ctrlC);
  await terminal.shows("Stopped.");
  await run(terminal, "bulk delivered --status pending", "Set 2 orders to delivered?");
  terminal.type("y");
  await terminal.shows("2 orders are now delivered");
  await run(terminal, "delete 2", "Delete order 2");
  terminal.type("y");
  await terminal.shows("Order 2 deleted");
});

test("lines typed before come back, in the next shell too, and nobody else may read them", async () => {
  const first = await shell();
  await run(first, "stats", "customers");
  await run(first, " show 4711", "there is no order 4711");
  await run(first, "orders --limit 1", "updated (UTC)");
  first.type(KEYS.ctrlD);
  expect(await first.exit).toBe(0);
  const file = join(folder.path, "rowcast/history");
  expect(await readFile(file, "utf8")).toBe("stats\norders --limit 1\n");
  expect((await stat(file)).mode & 0o777).toBe(0o600);

  const second = await shell();
  second.type(KEYS.up);
  await second.until(() => second.typed() === "rowcast> orders --limit 1");
  second.type(KEYS.up);
  await second.until(() => second.typed() === "rowcast> stats");
});

test("Tab completes commands, options, statuses and ids", async () => {
  await stack.database.client.query("TRUNCATE orders RESTART IDENTITY");
  await stack.database.client.query(
    "INSERT INTO orders (id, customer_name, product_name) VALUES (1234, 'a', 'b')",
  );
  const terminal = await shell();
  const steps = [
    ["up", "rowcast> update"],
    ["12", "rowcast> update 1234"],
    ["--st", "rowcast> update 1234 --status"],
    ["shi", "rowcast> update 1234 --status shipped"],
  ] as const;
  for (const [typed, completed] of steps) {
    terminal.type(`${typed}${KEYS.tab}`);
    await terminal.until(() => terminal.typed() === completed);
  }
  terminal.type(KEYS.enter);
  await terminal.shows("Order 1234 updated");
});

test("Ctrl-C clears the line, then stops the changes; watch shows them again, and only those asked for", async () => {
  const terminal = await shell();
  terminal.type("half a line");
  await terminal.until(() => terminal.typed() === "rowcast> half a line");
  terminal.type(KEYS.ctrlC);
  await terminal.until(() => terminal.typed() === "rowcast>");
  terminal.type(KEYS.ctrlC);
  await terminal.shows("Changes are not shown any more");
  await insert("Unseen");
  await run(terminal, "watch shipped", "Showing only these");
  await insert("Pending");
  await stack.database.client.query("UPDATE orders SET status = 'shipped' WHERE customer_name = 'Unseen'");
  await terminal.shows("status pending → shipped");
  expect(terminal.lines().join("\n")).not.toMatch(/INSERT/);
});

test("nothing in a row commands the terminal, and wide characters keep the table straight at 40 columns", async () => {
  await stack.database.client.query("TRUNCATE orders RESTART IDENTITY");
  const terminal = await shell(40);
  await insert("\u001B[2J\u001B]0;owned\u0007\u009B31m\u202Eevil");
  await insert("山田太郎の長い長い長い名前");
  await insert("Ada");
  await terminal.shows("=Ada");
  await run(terminal, "orders", "3 orders");
  await run(terminal, "show 1", "\\u{202e}evil");
  for (const command of ["\u001B[2J", "\u001B]", "\u009B", "\u202E"]) {
    expect(terminal.raw()).not.toContain(command);
  }
  const lines = terminal.lines();
  const heading = lines.findIndex((line) => /^id +customer/.test(line));
  const rows = lines.slice(heading, heading + 4);
  expect(rows.every((row) => columnsOf(row) < 40)).toBe(true);
  // In the same column of the screen in each row.
  const places = rows.slice(1).map((row) => columnsOf(row.slice(0, row.indexOf("pending"))));
  expect(new Set(places).size).toBe(1);
});

/** With two columns for each of the wide characters used here. */
function columnsOf(text: string): number {
  return Array.from(text).reduce((sum, character) => sum + (character >= "\u3000" ? 2 : 1), 0);
}

test("a lost connection stands in the prompt, heals by itself, and what was missed comes then", async () => {
  const terminal = await shell();
  terminal.type("sta");
  await stack.evictHub("close");
  await terminal.shows("Not connected");
  await terminal.until(() => terminal.raw().includes("(not connected, again in "));
  await terminal.until(() => terminal.typed() === "rowcast> sta");
  await insert("After");
  await terminal.shows("customer_name=After");
  expect(terminal.lines().join("\n")).toContain("Connected again: nothing was missed.");
});

test("a single command at a terminal asks as well: no is 1, Ctrl-C is 130, yes is 0", async () => {
  await stack.database.client.query("TRUNCATE orders RESTART IDENTITY");
  await insert("Ada");
  for (const [key, code] of [
    ["n", 1],
    [KEYS.ctrlC, 130],
    ["y", 0],
  ] as const) {
    const terminal = openTerminal(["delete", "1"], { url: stack.url, state: folder.path });
    terminals.push(terminal);
    await terminal.shows("Delete order 1 (Ada, Desk lamp, pending)?");
    terminal.type(key);
    expect(await terminal.exit).toBe(code);
  }
  const { rows } = await stack.database.client.query("SELECT id FROM orders");
  expect(rows).toEqual([]);
});

test("SIGTERM ends it at once, and the terminal is as it was", async () => {
  const terminal = await shell();
  process.kill(terminal.pid, "SIGTERM");
  expect(await terminal.exit).toBe(143);
  const asking = await shell();
  await run(asking, "create", "Customer");
  process.kill(asking.pid, "SIGTERM");
  expect(await asking.exit).toBe(143);
  expect(asking.raw().lastIndexOf("\u001B[?25h")).toBeGreaterThan(asking.raw().lastIndexOf("\u001B[?25l"));
});

test("with NO_COLOR it has no colours", async () => {
  const terminal = await shell(80, { NO_COLOR: "1" });
  await insert("Plain");
  await terminal.shows("customer_name=Plain");
  expect(terminal.raw().replaceAll("\u001B", "ESC")).not.toMatch(/ESC\[[0-9;]*m/);
});
