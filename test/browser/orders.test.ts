/** The table of orders in a real browser, over the real stack. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { setScene } from "./scene.ts";
import { eventually, type Tab } from "./tab.ts";

const scene = setScene();
const { sql } = scene;
let tab: Tab;
let ids: number[];

/** Five orders, the newest last. */
beforeEach(async () => {
  const rows = await sql<{ id: number }>(`
    INSERT INTO orders (customer_name, product_name, status, amount) VALUES
      ('Ada', 'Engine', 'pending', 30), ('Grace', 'Compiler', 'shipped', NULL), ('Alan', 'Machine', 'pending', 10),
      ('Hedy', 'Radio', 'delivered', 20), ('ada minor', 'Loom', 'pending', 5)
    RETURNING id`);
  ids = rows.map(({ id }) => id);
  tab = await scene.open();
  await tab.shows(ids[4] ?? 0, "Loom");
});
afterEach(async () => {
  const complaints = tab.complaints.filter((text) => !text.includes("status of 4")); // refusals are logged by the browser
  await tab.close();
  await sql("DELETE FROM orders");
  expect(complaints).toEqual([]);
});

const id = (index: number) => ids[index] ?? Number.NaN;
const statuses = async () =>
  (await sql("SELECT status FROM orders ORDER BY id")).map(({ status }) => String(status));
const sortBy = (name: string) => tab.page.getByRole("columnheader", { name }).getByRole("button").click();
const focused = () => tab.page.evaluate(() => document.activeElement?.getAttribute("data-order-id"));
/** Resolves when the rows are these, from above. */
const listed = (...expected: number[]) => eventually(() => tab.ids()).toEqual(expected);

it("sorts by a column, both ways, and keeps what comes in its place", async () => {
  await listed(id(4), id(3), id(2), id(1), id(0));
  await sortBy("Customer");
  await listed(id(0), id(4), id(2), id(1), id(3));
  await sql("UPDATE orders SET customer_name = 'Zuse' WHERE id = $1", [id(0)]);
  await listed(id(4), id(2), id(1), id(3), id(0));
  await sortBy("Amount");
  await listed(id(0), id(3), id(2), id(4), id(1));
  await sortBy("Amount");
  await listed(id(1), id(4), id(2), id(3), id(0));
  expect(await tab.page.getByRole("columnheader", { name: "Amount" }).getAttribute("aria-sort")).toBe(
    "ascending",
  );
});

it("filters by status and searches by customer, on rows that go on changing", async () => {
  await tab.page.getByRole("radio", { name: "pending" }).check({ force: true });
  await listed(id(4), id(2), id(0));
  await tab.page.getByLabel("Search by customer").fill("ADA");
  await listed(id(4), id(0));
  await sql("UPDATE orders SET status = 'shipped' WHERE id = $1", [id(4)]);
  await listed(id(0));
  await sql("UPDATE orders SET customer_name = 'Countess Ada' WHERE id = $1", [id(2)]);
  await listed(id(2), id(0));
  await tab.page.getByLabel("Search by customer").fill("nobody");
  await tab.page.getByTestId("nothing").getByRole("button").click();
  await listed(id(4), id(3), id(2), id(1), id(0));
});

it("marks a row by what happened to it, with a colour and with a sign", async () => {
  const flash = (operation: string, sign: string) =>
    tab.page.locator(`[data-flash=${operation}]`).filter({ hasText: sign }).first().waitFor();
  await Promise.all([
    flash("INSERT", "+"),
    sql("INSERT INTO orders (customer_name, product_name) VALUES ('New', 'One')"),
  ]);
  await Promise.all([flash("UPDATE", "~"), sql("UPDATE orders SET amount = 1 WHERE id = $1", [id(1)])]);
  await Promise.all([flash("DELETE", "−"), sql("DELETE FROM orders WHERE id = $1", [id(2)])]);
  await tab.page.locator("[data-flash]").first().waitFor({ state: "detached" });
});

it("changes a status in its place, by pointer and by keyboard", async () => {
  await tab.setStatus(id(0), "delivered");
  await tab.shows(id(0), "delivered");
  await eventually(statuses).toEqual(["delivered", "shipped", "pending", "delivered", "pending"]);
  await tab.row(id(2)).focus();
  await tab.page.keyboard.press("ArrowRight");
  await tab.page.keyboard.press("ArrowRight");
  await tab.page.keyboard.press("Enter");
  await tab.page.keyboard.press("c");
  await tab.page.keyboard.press("Enter");
  await eventually(statuses).toEqual(["delivered", "shipped", "completed", "delivered", "pending"]);
});

it("takes a change back that the server refuses, and says why", async () => {
  await sql("ALTER TABLE orders ADD CONSTRAINT never_cancelled CHECK (status <> 'cancelled')");
  await tab.setStatus(id(0), "cancelled");
  await tab.page.getByText(`Order #${id(0)} was not changed.`).waitFor();
  await tab.shows(id(0), "pending");
  await sql("ALTER TABLE orders DROP CONSTRAINT never_cancelled");
});

it("says at the field what is wrong with it, as the page and as the server know it", async () => {
  const { page } = tab;
  await page.getByRole("button", { name: "New order" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Amount").fill("12 euros");
  await dialog.getByRole("button", { name: "Create order" }).click();
  expect(await dialog.getByLabel("Customer").evaluate((field) => field === document.activeElement)).toBe(
    true,
  );
  for (const [name, words] of [
    ["Customer", "Write whose"],
    ["Product", "Write what"],
    ["Amount", "as a number"],
  ] as const) {
    const described = await dialog.getByLabel(name).getAttribute("aria-describedby");
    expect(await dialog.locator(`[id="${described}"]`).innerText()).toContain(words);
  }
  await dialog.getByLabel("Customer").fill("x".repeat(256));
  await dialog.getByLabel("Product").fill("Book");
  await dialog.getByLabel("Amount").fill("12.345");
  await dialog.getByRole("button", { name: "Create order" }).click();
  await dialog.getByText("longer than 255").waitFor();
  await dialog.getByText("two decimals").waitFor();
  await dialog.getByLabel("Customer").fill("Donald");
  await dialog.getByLabel("Amount").fill("12.34");
  await dialog.getByRole("button", { name: "Create order" }).click();
  await dialog.waitFor({ state: "detached" });
  await tab.page
    .locator("[data-testid=order-row]")
    .filter({ hasText: "Donald" })
    .filter({ hasText: "12.34" })
    .waitFor();
});

it("edits beside others: their fields stay, and the same field is asked about", async () => {
  const { page } = tab;
  await tab.row(id(0)).getByRole("button", { name: "Edit" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Product").fill("Analytical engine");
  await sql("UPDATE orders SET amount = 99 WHERE id = $1", [id(0)]);
  await tab.shows(id(0), "99");
  await dialog.getByRole("button", { name: "Save changes" }).click();
  await tab.shows(id(0), "Analytical engine", "99");

  await tab.row(id(0)).getByRole("button", { name: "Edit" }).click();
  await dialog.getByLabel("Customer").fill("Mine");
  await sql("UPDATE orders SET customer_name = 'Theirs' WHERE id = $1", [id(0)]);
  await tab.shows(id(0), "Theirs");
  await dialog.getByRole("button", { name: "Save changes" }).click();
  await dialog.getByTestId("conflict").filter({ hasText: "Theirs" }).waitFor();
  await dialog.getByRole("button", { name: "Save changes" }).click();
  await tab.shows(id(0), "Mine", "99");
});

it("deletes with a way back, and sends it when the time is over or the page goes", async () => {
  const { page } = tab;
  const sent: string[] = [];
  page.on("request", (request) => {
    if (request.method() === "DELETE") sent.push(new URL(request.url()).pathname);
  });
  await tab.delete(id(4));
  await tab.delete(id(3));
  await page.getByText("2 orders deleted.").waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await tab.shows(id(4), "Loom");
  await tab.shows(id(3), "Radio");
  expect(sent).toEqual([]);

  await page.clock.install(); // the seconds are passed by hand
  await tab.row(id(2)).focus();
  await page.keyboard.press("Delete");
  await page.clock.fastForward(2000);
  await tab.row(id(2)).waitFor({ state: "detached" });
  expect(await focused()).toBe(String(id(1)));
  expect(sent).toEqual([]);
  await page.clock.fastForward(10_000);
  await eventually(() => sent).toEqual([`/api/orders/${id(2)}`]);
  await page.clock.resume();

  await tab.delete(id(1));
  await page.reload();
  await eventually(async () =>
    (await sql("SELECT id FROM orders ORDER BY id")).map((row) => row["id"]),
  ).toEqual([id(0), id(3), id(4)]);
});

it("goes through the rows by keyboard, opens one, and selects", async () => {
  const { page } = tab;
  const press = async (...keys: string[]) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  await tab.row(id(4)).focus();
  await press("ArrowDown", "ArrowDown");
  expect(await focused()).toBe(String(id(2)));
  await press("End");
  expect(await focused()).toBe(String(id(0)));
  await press("Home", "Enter");
  await page.getByRole("dialog", { name: `Edit order #${id(4)}` }).waitFor();
  await press("Escape");
  expect(await focused()).toBe(String(id(4)));
  await press("ArrowDown", " ", "ArrowDown", "Shift+ArrowDown");
  const selected = page.locator("[aria-selected=true]");
  expect(
    await selected.evaluateAll((rows) => rows.map((row) => Number(row.getAttribute("data-order-id")))),
  ).toEqual([id(3), id(2), id(1)]);
  await press("Escape");
  expect(await selected.count()).toBe(0);
  await press("Control+a");
  expect(await selected.count()).toBe(5);
});

it("selects many, by click, by shift-click and all that match, and sets their status a thousand at a time", async () => {
  const { page } = tab;
  const box = (index: number) => page.getByRole("checkbox", { name: `Select order ${id(index)}` });
  await box(4).click();
  await box(2).click({ modifiers: ["Shift"] });
  await box(3).click();
  await page.getByText("2 selected").waitFor();
  await page.getByRole("button", { name: "Set status" }).click();
  await page.getByRole("menuitemradio", { name: "completed" }).click();
  await eventually(statuses).toEqual(["pending", "shipped", "completed", "delivered", "completed"]);
  await page.getByText("2 orders set to completed.").waitFor();

  await sql(
    "INSERT INTO orders (customer_name, product_name) SELECT 'Bulk ' || i, 'Nail' FROM generate_series(1, 2200) i",
  );
  await eventually(() => tab.count()).toBe("2,205");
  await page.getByLabel("Search by customer").fill("bulk");
  await page.locator("[data-testid=order-row]").first().getByRole("checkbox").click();
  await page.getByRole("button", { name: "Select all 2,200 that match" }).click();
  const calls: number[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/bulk-status")) calls.push(request.postDataJSON().order_ids.length);
  });
  await page.getByRole("button", { name: "Set status" }).click();
  await page.getByRole("menuitemradio", { name: "shipped" }).click();
  await tab.page.getByText("2,200 orders set to shipped.").waitFor();
  expect(calls).toEqual([1000, 1000, 200]);
  const [row] = await sql(
    "SELECT count(*)::int AS n FROM orders WHERE status = 'shipped' AND product_name = 'Nail'",
  );
  expect(row).toEqual({ n: 2200 });
  await eventually(() => tab.statusFilter("shipped")).toContain("2,201");
});

it("makes up an order, and traffic that touches only its own", async () => {
  const { page } = tab;
  await page.getByRole("button", { name: "Random order" }).click();
  await eventually(async () => (await sql("SELECT id FROM orders")).length).toBe(6);
  await page.getByRole("button", { name: "Simulate traffic" }).click();
  await tab.tells("UPDATE", "#");
  await page.getByRole("button", { name: "Simulate traffic" }).click();
  expect(
    await sql("SELECT id FROM orders WHERE id = ANY($1) AND updated_at = created_at", [ids]),
  ).toHaveLength(5);
});
