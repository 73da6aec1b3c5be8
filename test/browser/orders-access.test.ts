/** The orders and the activity for everybody: no rule of axe-core broken, nothing wider than the page, motion only if wished. */
import { beforeAll, expect, it } from "vitest";
import { overflow, violations } from "./accessibility.ts";
import { setScene } from "./scene.ts";

const scene = setScene();
const { sql } = scene;
beforeAll(async () => {
  await sql(`INSERT INTO orders (customer_name, product_name, status, amount)
    SELECT 'Customer with a rather long name ' || i, 'Product ' || repeat('of many words ', i % 9), 'shipped', i
    FROM generate_series(1, 60) i`);
});

// Both colours and both layouts; the shell is tried in each of the four (shell-axe.test.ts).
it.each([
  { colorScheme: "light", width: 1280, height: 800 },
  { colorScheme: "dark", width: 320, height: 640 },
] as const)(
  "axe finds nothing at $width px, $colorScheme: in marks, selection, menu, dialog",
  async ({ colorScheme, ...viewport }) => {
    const tab = await scene.open({ viewport, colorScheme, reducedMotion: "reduce" });
    const { page } = tab;
    await page.locator("[data-testid=order-row]").first().waitFor();
    const check = async (state: string) => {
      expect(await violations(page), state).toEqual([]);
      expect(await overflow(page), state).toEqual([]);
    };
    await sql(`INSERT INTO orders (customer_name, product_name) VALUES ('Ada', 'Engine');
      UPDATE orders SET amount = amount + 1 WHERE id = (SELECT max(id) - 2 FROM orders);
      DELETE FROM orders WHERE id = (SELECT max(id) - 3 FROM orders)`);
    await page.locator("[data-flash=DELETE]").waitFor();
    await check("marks");
    await page.locator("[data-control=select]").first().click();
    await check("selection");
    await page.locator("[data-control=status]").first().click();
    await page.getByRole("menu").waitFor();
    await check("menu");
    await page.keyboard.press("Escape");
    await page.locator("[data-control=edit]").nth(1).click();
    await page.getByRole("dialog").getByLabel("Customer").fill("");
    await page.getByRole("dialog").getByRole("button", { name: "Save changes" }).click();
    await page.locator("[aria-invalid=true]").waitFor();
    await check("dialog");
    await page.keyboard.press("Escape");
    await page.getByLabel("Search by customer").fill("nobody");
    await page.getByTestId("nothing").waitFor();
    await check("nothing found");
    expect(tab.complaints).toEqual([]);
    await tab.close();
  },
);

it("fits 4K, and moves nothing for who wishes no motion", async () => {
  const viewport = { width: 3840, height: 2160 };
  const tab = await scene.open({ viewport, reducedMotion: "reduce" });
  const { page } = tab;
  await page.locator("[data-testid=order-row]").nth(40).waitFor();
  expect(await overflow(page)).toEqual([]);
  await sql("UPDATE orders SET amount = 3 WHERE id = (SELECT max(id) FROM orders)");
  await page.locator("[data-flash=UPDATE]").waitFor();
  expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
  await tab.close();
});
