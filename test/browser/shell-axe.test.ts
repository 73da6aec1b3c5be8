/** Every state of the page, light and dark: nothing for axe to find, and nothing wider than the window from 320 px to 4K. */
import type { Page } from "playwright-core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { overflow, violations } from "./accessibility.ts";
import { setScene } from "./scene.ts";
import { Tab } from "./tab.ts";

const scene = setScene();
const { sql } = scene;
let tab: Tab;
beforeEach(async () => {
  await sql("DELETE FROM orders");
  // no motion: a colour on its way to another is neither
  tab = await Tab.open(scene.browser, "about:blank", { reducedMotion: "reduce" });
});
afterEach(() => tab.close());

const LONG = "Wolfeschlegelsteinhausenbergerdorff".repeat(3);

async function insertOrders(): Promise<void> {
  await sql(
    `INSERT INTO orders (customer_name, product_name, status, amount)
     SELECT CASE i WHEN 9 THEN '${LONG}' ELSE 'Customer ' || i END, 'Lamp',
       (ARRAY['pending', 'processing', 'shipped', 'delivered', 'completed', 'cancelled'])[1 + i % 6], i * 99.5
     FROM generate_series(1, 40) i`,
  );
}

async function openLive(page: Page): Promise<void> {
  await insertOrders();
  await page.goto(scene.stack.url);
  await tab.live("websocket");
  await page.locator("[data-testid=order-row]").first().waitFor();
}

/** With charts, marks, and an activity. */
async function openBusy(page: Page): Promise<void> {
  await openLive(page);
  await page.locator("canvas").first().waitFor({ state: "attached" });
  await sql("UPDATE orders SET status = 'completed', amount = 12 WHERE customer_name LIKE 'Customer 4%'");
  await sql("INSERT INTO orders (customer_name, product_name) VALUES ('Eve', 'Bed')");
  await tab.tells("INSERT", "Eve");
}

const STATES: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  loading: async (page) => {
    await page.route("**/api/orders?*", () => undefined); // never answered
    await page.goto(scene.stack.url);
    await page.getByText("Loading the orders").waitFor({ state: "attached" });
    await tab.live("websocket");
  },
  live: openBusy,
  empty: async (page) => {
    await page.goto(scene.stack.url);
    await page.getByRole("heading", { name: "No orders yet" }).waitFor();
  },
  "with a dialog": async (page) => {
    await openLive(page);
    await page.keyboard.press("n");
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Create order" }).click();
    await dialog.locator("[aria-invalid=true]").first().waitFor();
  },
  "with the help": async (page) => {
    await openLive(page);
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
  },
  "with the panel": async (page) => {
    await openBusy(page);
    await page.keyboard.press("c");
    await page.getByRole("button", { name: "Test connection" }).click();
    await page.locator("[data-testid=probe][data-state=done]").waitFor();
  },
  "with toasts": async (page) => {
    await openLive(page);
    await page.locator("[data-testid=order-row]").first().getByRole("button", { name: "Delete" }).click();
    await page.getByTestId("toast").waitFor();
  },
  "with a selection and nothing found": async (page) => {
    await openLive(page);
    await page.locator("[data-testid=order-row]").first().getByRole("checkbox").check();
    await page.getByLabel("Search by customer").fill("nobody");
    await page.getByTestId("nothing").waitFor();
  },
  "offline, and so stale": async (page) => {
    await openBusy(page);
    await tab.context.setOffline(true);
    await page.getByTestId("stale").waitFor();
  },
  "in error": async (page) => {
    await page.route("**/api/orders?*", (route) =>
      route.fulfill({ status: 503, json: { detail: "The database is away." } }),
    );
    await page.goto(scene.stack.url);
    await page.getByRole("alert").filter({ hasText: "The database is away." }).waitFor();
  },
};

const SIZES = [
  { width: 320, height: 640 },
  { width: 768, height: 1024 },
  { width: 1440, height: 900 },
  { width: 3840, height: 2160 },
];

describe.each(Object.keys(STATES))("The page, %s,", (state) => {
  it("is whole for everybody, and as wide as the window", async () => {
    const { page } = tab;
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize({ width: 1440, height: 900 });
    await STATES[state]?.(page);
    expect(await violations(page), "light, 1440 px").toEqual([]);
    for (const size of SIZES) {
      await page.setViewportSize(size);
      expect(await overflow(page), `${size.width} px`).toEqual([]);
    }
    await page.emulateMedia({ colorScheme: "dark" });
    expect(await violations(page), "dark, 3840 px").toEqual([]);
    // a phone shows other things, or the same in another way
    await page.setViewportSize({ width: 320, height: 640 });
    expect(await violations(page), "dark, 320 px").toEqual([]);
  });
});

describe("The narrow page", () => {
  it("shows orders, changes or charts, each whole for everybody", async () => {
    const { page } = tab;
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize({ width: 390, height: 844 });
    await openLive(page);
    await sql("UPDATE orders SET status = 'completed', amount = 12");
    await page.getByTestId("card-completed").filter({ hasText: "40" }).waitFor();
    await page.locator("canvas").first().waitFor({ state: "attached" });
    for (const name of [/^Changes/, /^Charts/]) {
      await page.getByRole("navigation").getByRole("button", { name }).click();
      expect(await violations(page), String(name)).toEqual([]);
      expect(await overflow(page), String(name)).toEqual([]);
    }
  });
});
