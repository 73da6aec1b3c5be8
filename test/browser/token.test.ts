/** The dashboard where nobody may see anything without a token. */
import { SignJWT } from "jose";
import { expect, it } from "vitest";
import { setScene } from "./scene.ts";

const JWT_SECRET = "a-secret-for-these-tests-0123456789";
const scene = setScene({ vars: { ANONYMOUS: "none", JWT_SECRET } });

it("says what to do, takes a token from behind the #, and shows what that token may see, now and live", async () => {
  const first = await scene.insert("Ada");
  await scene.insert("Eve");
  const token = await new SignJWT({
    role: "read",
    filter: { orders: { customer_name: ["Ada"] } },
    exp: Math.floor(Date.now() / 1000) + 600,
  })
    .setProtectedHeader({ alg: "HS256" })
    .sign(new TextEncoder().encode(JWT_SECRET));

  const tab = await scene.open();
  const { page } = tab;
  await page.getByTestId("forbidden").filter({ hasText: "#token=" }).waitFor();
  await page.locator("[data-testid=connection][data-state=stopped]").waitFor();
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  page.on("websocket", (socket) => asked.push(socket.url()));

  await page.goto(`${scene.stack.url}/#token=${token}`);
  await tab.live("websocket");
  await tab.shows(first, "Ada");
  const second = await scene.insert("Ada");
  await scene.insert("Eve");
  const third = await scene.insert("Ada");
  await tab.shows(second, "Ada");
  await tab.shows(third, "Ada");
  expect(await page.locator("[data-testid=order-row]").count()).toBe(3);
  expect(await page.content()).not.toContain("Eve");

  // Neither the page's own address nor one that was asked for holds it, and the next visit needs it no more.
  expect(page.url()).not.toContain("token");
  expect(asked.filter((url) => url.includes(token))).toEqual([]);
  expect(asked.some((url) => url.includes("/ws?"))).toBe(true);
  await page.goto(scene.stack.url);
  await tab.live("websocket");
  await tab.close();
});
