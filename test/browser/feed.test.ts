/** The activity feed in a real browser, over the real stack. */
import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import { setScene } from "./scene.ts";
import { eventually, type Tab } from "./tab.ts";

const scene = setScene();
const { sql, insert } = scene;
let tab: Tab;
const items = () => tab.page.locator("[data-testid=feed-item]");
const feed = () => tab.page.locator(".feed");
const button = (name: string | RegExp) => feed().getByRole("button", { name });

beforeEach(async () => {
  tab = await scene.open();
  await tab.live("websocket");
});
afterEach(async () => {
  const { complaints } = tab;
  await tab.close();
  expect(complaints).toEqual([]);
});

it("tells what changed from what to what, when, and before how many eyes", async () => {
  const second = await scene.open();
  await second.live("websocket");
  await feed().getByText("2 people see these changes now").waitFor(); // the other is seen to have come
  const id = await insert("Ada");
  await sql("UPDATE orders SET status = 'shipped', amount = 12 WHERE id = $1", [id]);
  const update = items()
    .filter({ hasText: `#${id}` })
    .and(tab.page.locator("[data-operation=UPDATE]"));
  await update.waitFor();
  expect((await update.innerText()).replace(/\s+/g, " ")).toMatch(
    new RegExp(`#${id} Ada 2 watching \\d\\d:\\d\\d:\\d\\d .*status pending to shipped`),
  );
  expect(await update.locator("time").getAttribute("datetime")).toMatch(/^\d{4}-\d\d-\d\dT/);
  await second.close();
});

it("holds still while paused, says how much has come, and goes on with it", async () => {
  await insert("Before");
  await tab.tells("INSERT", "Before");
  await button("Pause").click();
  await insert("During");
  await button("Resume (1 new)").waitFor();
  expect(await items().filter({ hasText: "During" }).count()).toBe(0);
  await button(/Resume/).click();
  await tab.tells("INSERT", "During");
  await button("Clear").click();
  expect(await items().count()).toBe(0);
  await insert("After");
  await tab.tells("INSERT", "After");
  expect(await items().count()).toBe(1);
});

it("shows what one asks for: an operation, a text, other tables too; and writes that down as JSON lines", async () => {
  await sql("CREATE TABLE notes (id int PRIMARY KEY, text text)");
  await sql("SELECT rowcast.watch('notes')");
  await sql("INSERT INTO notes VALUES (1, 'Not an order')");
  const id = await insert("Grace");
  await insert("Hedy");
  await sql("UPDATE orders SET status = 'delivered' WHERE id = $1", [id]);
  await tab.tells("UPDATE", "Grace");
  expect(await items().count()).toBe(3);

  await feed().getByRole("radio", { name: "New" }).check({ force: true });
  await eventually(() => items().count()).toBe(2);
  await feed().getByLabel("Filter the activity").fill("grac");
  await eventually(() => items().count()).toBe(1);
  await feed().getByRole("radio", { name: "All" }).check({ force: true });
  await eventually(() => items().count()).toBe(2);

  const [download] = await Promise.all([tab.page.waitForEvent("download"), button("Export").click()]);
  expect(download.suggestedFilename()).toMatch(/^rowcast-changes-.*\.jsonl$/);
  const lines = (await readFile(await download.path(), "utf8")).trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    {
      operation: "INSERT",
      table: "orders",
      key: { id },
      data: { customer_name: "Grace" },
      watching: expect.any(Number),
    },
    { operation: "UPDATE", table: "orders", key: { id }, old: { status: "pending" } },
  ]);

  await feed().getByLabel("Filter the activity").fill("");
  await feed().getByRole("checkbox", { name: "All tables" }).check();
  await items().filter({ hasText: "Not an order" }).waitFor();
});

it("lets one read on while more comes, and brings to the top on request", async () => {
  await sql(
    "INSERT INTO orders (customer_name, product_name) SELECT 'Many ' || i, 'Nail' FROM generate_series(1, 400) i",
  );
  await tab.tells("INSERT", "Many 400");
  expect(await items().count()).toBeLessThan(60);
  const list = tab.page.locator(".feed-list");
  await list.evaluate((element) => element.scrollTo({ top: 1e6 }));
  await feed().getByText("Many 1", { exact: true }).waitFor();
  const read = await items().nth(5).innerText();
  await insert("Newcomer");
  await button("1 new").waitFor();
  expect(await items().nth(5).innerText()).toBe(read);
  await button("1 new").click();
  await tab.tells("INSERT", "Newcomer");
});
