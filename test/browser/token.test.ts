/** The dashboard where nobody may see anything without a token. */
import { SignJWT } from "jose";
import { afterAll, beforeAll, expect, it } from "vitest";
import { launchChromium, type LaunchedBrowser } from "../support/chromium.ts";
import { buildDashboard } from "../support/stack-dashboard.ts";
import { startStack, type Stack } from "../support/stack.ts";
import { Tab } from "./tab.ts";

const JWT_SECRET = "a-secret-for-these-tests-0123456789";

let stack: Stack;
let chromium: LaunchedBrowser;
beforeAll(async () => {
  await buildDashboard();
  const vars = { ANONYMOUS: "none", JWT_SECRET };
  [stack, chromium] = await Promise.all([startStack({ dashboard: true, vars }), launchChromium()]);
}, 120_000);
afterAll(async () => {
  await chromium?.close();
  await stack?.stop();
});

it("says what to do, takes a token from behind the #, and shows what that token may see, now and live", async () => {
  const insert = (name: string) =>
    stack.database.client.query<{ id: number }>(
      "INSERT INTO orders (customer_name, product_name) VALUES ($1, 'Engine') RETURNING id",
      [name],
    );
  const first = (await insert("Ada")).rows[0]?.id ?? 0;
  await insert("Eve");
  const token = await new SignJWT({
    role: "read",
    filter: { orders: { customer_name: ["Ada"] } },
    exp: Math.floor(Date.now() / 1000) + 600,
  })
    .setProtectedHeader({ alg: "HS256" })
    .sign(new TextEncoder().encode(JWT_SECRET));

  const tab = await Tab.open(chromium.browser, stack.url);
  const { page } = tab;
  await page.getByTestId("forbidden").filter({ hasText: "#token=" }).waitFor();
  await page.locator("[data-testid=connection][data-state=stopped]").waitFor();
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  page.on("websocket", (socket) => asked.push(socket.url()));

  await page.goto(`${stack.url}/#token=${token}`);
  await tab.live("websocket");
  await tab.shows(first, "Ada");
  const second = (await insert("Ada")).rows[0]?.id ?? 0;
  await insert("Eve");
  const third = (await insert("Ada")).rows[0]?.id ?? 0;
  await tab.shows(second, "Ada");
  await tab.shows(third, "Ada");
  expect(await page.locator("[data-testid=order-row]").count()).toBe(3);
  expect(await page.content()).not.toContain("Eve");

  // Neither the page's own address nor one that was asked for holds it, and the next visit needs it no more.
  expect(page.url()).not.toContain("token");
  expect(asked.filter((url) => url.includes(token))).toEqual([]);
  expect(asked.some((url) => url.includes("/ws?"))).toBe(true);
  await page.goto(stack.url);
  await tab.live("websocket");
  await tab.close();
});
