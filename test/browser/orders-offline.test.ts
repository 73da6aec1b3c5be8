/** What is written while the network is away, or fails halfway: kept, sent once, and right in the end. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { setScene } from "./scene.ts";
import { eventually, type Tab } from "./tab.ts";

const scene = setScene();
const { sql } = scene;
let tab: Tab;
let ids: number[];

const id = (index: number) => ids[index] ?? Number.NaN;
const orderOf = async (its: number) =>
  (await sql("SELECT customer_name, product_name, status FROM orders WHERE id = $1", [its]))[0];

beforeEach(async () => {
  await sql("DELETE FROM orders");
  const rows = await sql<{ id: number }>(
    "INSERT INTO orders (customer_name, product_name) SELECT 'Customer ' || i, 'Book' FROM generate_series(1, 12) i RETURNING id",
  );
  ids = rows.map(({ id }) => id);
  tab = await scene.open();
  await tab.live("websocket");
  await tab.shows(id(0), "Customer 1");
  // the form comes after the first view: from then on it needs no network
  await tab.page.waitForFunction(() =>
    performance.getEntriesByType("resource").some(({ name }) => name.includes("OrderDialog")),
  );
});
afterEach(() => tab.close());

const CUT_MS = 10_000;
const CHANGES = 50;

it("lives through 10 s without network, 50 changes by others and two edits: all is right, both are in, nothing twice", async () => {
  const { page, context } = tab;
  const [mine, shared] = [id(2), id(5)];
  await context.setOffline(true);
  const cutAt = Date.now();
  await page.locator("[data-testid=connection][data-state=offline]").waitFor();

  await tab.setStatus(mine, "shipped");
  await tab.edit(shared, { customer: "Edited offline" });
  for (const [its, text] of [
    [mine, "shipped"],
    [shared, "Edited offline"],
  ] as const) {
    await tab.shows(its, text);
    await tab.row(its).getByTestId("pending").waitFor();
  }
  // others: new orders, changes of old ones, of them also the very row that is being edited, and a deletion
  for (let n = 0; n < CHANGES - 2; n++) {
    if (n % 2 === 0)
      await sql("INSERT INTO orders (customer_name, product_name) VALUES ($1, 'Lamp')", [`Other ${n}`]);
    else await sql("UPDATE orders SET amount = $1 WHERE id = $2", [n, ids[n % 4 === 1 ? 8 : 9]]);
    await new Promise((resolve) => setTimeout(resolve, (CUT_MS - (Date.now() - cutAt)) / (CHANGES - n)));
  }
  await sql("UPDATE orders SET product_name = 'Changed by others' WHERE id = $1", [shared]);
  await sql("DELETE FROM orders WHERE id = $1", [id(0)]);
  expect(await tab.row(id(0)).count()).toBe(1); // no news: the page shows what it had

  await context.setOffline(false);
  await tab.live("websocket");
  await page.getByTestId("unsent").waitFor({ state: "detached" });
  const there = (await sql("SELECT id FROM orders ORDER BY id DESC")).map((row) => row["id"]);
  await eventually(() => tab.count()).toBe(String(there.length));
  const here = await tab.ids();
  expect(here.slice(0, 15)).toEqual(there.slice(0, 15));
  const search = page.getByLabel("Search by customer");
  await search.fill(`#${mine}`);
  await tab.shows(mine, "Customer 3", "shipped");
  await search.fill("edited offline");
  await tab.shows(shared, "Edited offline", "Changed by others");
  expect(await page.getByTestId("pending").count()).toBe(0);
  await search.fill(`#${id(0)}`);
  await page.getByTestId("nothing").waitFor();

  expect(await orderOf(mine)).toEqual({
    customer_name: "Customer 3",
    product_name: "Book",
    status: "shipped",
  });
  expect(await orderOf(shared)).toEqual({
    customer_name: "Edited offline",
    product_name: "Changed by others",
    status: "pending",
  });
  // each change once in the feed: theirs and both of mine
  await eventually(() => page.locator("[data-testid=feed-item]").first().getAttribute("aria-setsize")).toBe(
    String(CHANGES + 2),
  );
});

it("sends what was created offline once, though the first answer is lost on the way", async () => {
  const { page, context } = tab;
  await context.setOffline(true);
  await page.locator("[data-testid=connection][data-state=offline]").waitFor();
  await tab.create({ customer: "Offline", product: "Tent", status: "pending", amount: "7" });
  await page.getByTestId("unsent").waitFor();
  expect((await tab.ids())[0]).toBeLessThan(0); // newest first, and not yet numbered
  let lost = 0;
  await page.route("**/api/orders", async (route) => {
    if (route.request().method() !== "POST" || lost > 0) return route.continue();
    lost += 1;
    await route.fetch();
    await route.abort("connectionreset");
  });
  const answered = page.waitForResponse((response) => response.request().method() === "POST");
  await context.setOffline(false);
  await (await answered).finished();
  const made = await sql("SELECT id FROM orders WHERE customer_name = 'Offline'");
  expect(lost).toBe(1);
  expect(made).toHaveLength(1);
  await tab.shows(Number(made[0]?.["id"]), "Tent");
  expect((await tab.ids())[0]).toBe(made[0]?.["id"]);
});

it("takes it for done when the first answer to an edit or a deletion is lost", async () => {
  const { page } = tab;
  const lost: string[] = [];
  await page.route("**/api/orders/*", async (route) => {
    const method = route.request().method();
    if (lost.includes(method) || !["PUT", "DELETE"].includes(method)) return route.continue();
    lost.push(method);
    await route.fetch();
    await route.abort("connectionreset");
  });
  const answered = (method: string) =>
    page.waitForResponse((response) => response.request().method() === method);
  const edited = answered("PUT");
  await tab.edit(id(4), { customer: "Edited", status: "processing" });
  expect((await edited).headers()["idempotency-replayed"]).toBe("true");
  await tab.shows(id(4), "Edited", "processing");
  await tab.delete(id(6));
  const deleted = answered("DELETE");
  await page.getByRole("button", { name: "Dismiss" }).last().click(); // no way back: it is sent
  expect((await deleted).headers()["idempotency-replayed"]).toBe("true");
  expect(lost).toEqual(["PUT", "DELETE"]);
  expect(await orderOf(id(4))).toMatchObject({ customer_name: "Edited", status: "processing" });
  expect(await orderOf(id(6))).toBeUndefined();
  expect(await page.getByText("was not").count()).toBe(0);
  await tab.shows(id(4), "Edited", "processing");
});

it("sets the status of many as soon as there is a network again", async () => {
  const { page, context } = tab;
  await context.setOffline(true);
  await page.locator("[data-testid=connection][data-state=offline]").waitFor();
  await tab.row(id(7)).getByRole("checkbox").click();
  await tab.row(id(9)).getByRole("checkbox").click();
  await page.getByRole("button", { name: "Set status" }).click();
  await page.getByRole("menuitemradio", { name: "completed" }).click();
  await tab.shows(id(9), "completed");
  await tab.row(id(9)).getByTestId("pending").waitFor();
  expect(await orderOf(id(9))).toMatchObject({ status: "pending" });
  await context.setOffline(false);
  await page.getByText("2 orders set to completed.").waitFor();
  for (const its of [id(7), id(9)]) expect(await orderOf(its)).toMatchObject({ status: "completed" });
  await page.getByTestId("pending").first().waitFor({ state: "detached" });
  await tab.shows(id(9), "completed");
});

it("keeps what is not sent when the page is loaded again", async () => {
  const { page } = tab;
  const cut = (path: string) => path.includes("/api/orders/");
  await page.route(
    (url) => cut(url.pathname),
    (route) => route.abort(),
  );
  await tab.setStatus(id(3), "delivered");
  await page.getByTestId("unsent").waitFor();
  await page.reload();
  await tab.shows(id(3), "delivered");
  expect(await orderOf(id(3))).toMatchObject({ status: "pending" });
  await page.unrouteAll();
  await page.getByTestId("unsent").waitFor({ state: "detached" });
  expect(await orderOf(id(3))).toMatchObject({ status: "delivered" });
});
