/** A table of 100,000 orders, in a real browser over the real stack: what it costs to look through them, and to follow them. */
import type { Page } from "playwright-core";
import { beforeAll, expect, it } from "vitest";
import { setScene } from "./scene.ts";
import { eventually, type Tab } from "./tab.ts";
import { watchTasks } from "./tasks.ts";

const ROWS = 100_000;
/** More elements than this in the whole page would mean that rows are in it which nobody sees. */
const MAX_ELEMENTS = 4000;

const scene = setScene();
const { sql } = scene;
let tab: Tab;

beforeAll(async () => {
  // not watched meanwhile: it is not the way of 100,000 changes that is tried here
  await sql("SELECT rowcast.unwatch('orders')");
  await sql(`INSERT INTO orders (customer_name, product_name, status, amount)
    SELECT 'Customer ' || (i * 7919) % 5000, 'Product ' || i % 97,
      (ARRAY['pending','processing','shipped','delivered','completed','cancelled'])[1 + i % 6], i % 1000
    FROM generate_series(1, ${ROWS}) i`);
  await sql("SELECT rowcast.watch('orders')");
});

const count = () => tab.count();
const elements = (page: Page) => page.evaluate(() => document.getElementsByTagName("*").length);

it("shows the first rows at once and loads all the others", async () => {
  tab = await scene.open();
  await tab.row(ROWS).waitFor();
  expect(await count()).not.toBe("100,000"); // there was something to see before all was there
  await eventually(count).toBe("100,000");
  await eventually(() => tab.statusFilter("shipped")).toContain("16,667");
}, 40_000);

it("scrolls smoothly from the first to the last, with no more rows in the document than are seen", async () => {
  const { page } = tab;
  const tasks = await watchTasks(scene.browser, page);
  await page.evaluate(async () => {
    for (let step = 0; step < 90; step++) {
      scrollBy({ top: step < 60 ? 400 : 60_000, behavior: "instant" });
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
  });
  expect((await tasks()).longestMs).toBeLessThan(50); // ms; on a machine without a graphics card
  expect(await elements(page)).toBeLessThan(MAX_ELEMENTS);

  await page.evaluate(() => scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" }));
  await tab.row(1).waitFor();
  expect(await elements(page)).toBeLessThan(MAX_ELEMENTS);
  await page.evaluate(() => scrollTo({ top: 0, behavior: "instant" }));
  await tab.row(ROWS).focus();
  await page.keyboard.press("End");
  await eventually(() => page.evaluate(() => document.activeElement?.getAttribute("aria-rowindex"))).toBe(
    String(ROWS + 1),
  );
  await page.keyboard.press("Home");
  await eventually(() => page.evaluate(() => document.activeElement?.getAttribute("data-order-id"))).toBe(
    String(ROWS),
  );
});

it("holds still what one looks at, while rows come and go above it", async () => {
  const { page } = tab;
  await page.evaluate(() => scrollTo({ top: 4000, behavior: "instant" }));
  const looked = tab.row(ROWS - 105);
  await looked.waitFor();
  const y = async () => (await looked.boundingBox())?.y ?? Number.NaN;
  const before = await y();
  /** In whole pixels: where a page can be scrolled to is no finer. */
  const moved = async () => Math.round((await y()) - before);
  await sql(
    "INSERT INTO orders (customer_name, product_name) SELECT 'Above', 'Nail' FROM generate_series(1, 7) i",
  );
  await eventually(count).toBe("100,007");
  expect(await moved()).toBeCloseTo(0);
  await sql("DELETE FROM orders WHERE customer_name = 'Above'");
  await eventually(count).toBe("100,000");
  await page.locator("[data-flash]").first().waitFor({ state: "detached" });
  await eventually(moved).toBeCloseTo(0);
  await page.evaluate(() => scrollTo({ top: 0, behavior: "instant" }));
});

it("sorts, filters and searches all of them without a long task", async () => {
  const { page } = tab;
  const tasks = await watchTasks(scene.browser, page);
  await page.getByRole("columnheader", { name: "Customer" }).getByRole("button").click();
  await eventually(async () => (await tab.ids())[0]).not.toBe(ROWS);
  await page.locator(".grid[aria-busy=false]").waitFor();
  await eventually(async () => tab.page.locator("[data-testid=order-row]").first().innerText()).toContain(
    "Customer 0",
  );
  await page.getByLabel("Search by customer").fill("customer 4999");
  await eventually(count).toBe("20 of 100,000");
  await page.getByLabel("Search by customer").fill("");
  await page.getByRole("columnheader", { name: "Id" }).getByRole("button").click();
  await eventually(async () => (await tab.ids())[0]).toBe(ROWS);
  expect((await tasks()).longestMs).toBeLessThan(100);
});

it("follows 1,000 changes a second among them without a task over 100 ms, and is right in the end", async () => {
  const { page } = tab;
  const tasks = await watchTasks(scene.browser, page);
  for (let second = 0; second < 3; second++) {
    for (let batch = 0; batch < 10; batch++) {
      const started = performance.now();
      const from = (second * 10 + batch) * 100 + 1;
      await sql(
        `UPDATE orders SET status = 'cancelled', customer_name = 'Changed' WHERE id BETWEEN ${from} AND ${from + 89}`,
      );
      await sql(
        "INSERT INTO orders (customer_name, product_name) SELECT 'New', 'Nail' FROM generate_series(1, 10)",
      );
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, 100 - (performance.now() - started))));
    }
  }
  await eventually(count).toBe("100,300");
  const [there] = await sql("SELECT count(*) FILTER (WHERE status = 'cancelled')::int AS n FROM orders");
  await eventually(() => tab.statusFilter("cancelled")).toContain(Number(there?.["n"]).toLocaleString("en"));
  expect((await tasks()).longestMs).toBeLessThan(100);
  expect(await elements(page)).toBeLessThan(MAX_ELEMENTS);
}, 40_000);

it("says so when there are more than it loads, and counts them all the same", async () => {
  const { page } = tab;
  await sql("SELECT rowcast.unwatch('orders')");
  await sql(
    "DELETE FROM orders; INSERT INTO orders (customer_name, product_name) SELECT 'Many', 'Nail' FROM generate_series(1, 101000) i",
  );
  await sql("SELECT rowcast.watch('orders')");
  await page.reload();
  await eventually(count).toBe("newest 100,200 of 101,000");
  await eventually(() => tab.statusFilter("pending")).toContain("101,000");
  await sql("UPDATE orders SET status = 'shipped' WHERE id IN (SELECT id FROM orders ORDER BY id LIMIT 3)");
  await eventually(() => tab.statusFilter("shipped")).toContain("3");
  await eventually(() => tab.statusFilter("pending")).toContain("100,997");
  await page.close();
}, 40_000);
