/** What stands around the rows: the pill, the numbers, the panel, the keys, and that none of it lies. */
import type { WebSocketRoute } from "playwright-core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { setScene } from "./scene.ts";
import { Tab } from "./tab.ts";

const scene = setScene();
const { sql } = scene;
let tab: Tab;

const pill = () => tab.page.getByTestId("connection");
const panel = () => tab.page.getByRole("complementary", { name: "Connection" });
const toast = (text: string) => tab.page.getByTestId("toast").filter({ hasText: text });

beforeEach(async () => {
  await sql("DELETE FROM orders");
  await sql(
    "INSERT INTO orders (customer_name, product_name, status) VALUES ('Ada', 'Lamp', 'pending'), ('Ada', 'Desk', 'shipped')",
  );
  tab = await Tab.open(scene.browser, "about:blank", { permissions: ["notifications"] });
});
afterEach(() => tab.close());

/** Opens the page, live, with its two orders. */
async function open(): Promise<void> {
  await tab.page.goto(scene.stack.url);
  await tab.live("websocket");
  await tab.page.getByTestId("card-orders").filter({ hasText: "2" }).waitFor();
}

/** Opens it with somebody on the way who can say something in the server's name; resolves with what says it. */
async function openThrough(
  change: (frame: string) => string = (frame) => frame,
): Promise<(frame: object) => void> {
  let route: WebSocketRoute | undefined;
  await tab.page.routeWebSocket(/\/ws/, (socket) => {
    route = socket;
    socket
      .connectToServer()
      .onMessage((frame) => socket.send(typeof frame === "string" ? change(frame) : frame));
  });
  await open();
  return (frame) => route?.send(JSON.stringify(frame));
}

describe("The overview", () => {
  it("moves with the stream: orders, statuses, customers, changes and their latency", async () => {
    await open();
    const { page } = tab;
    await sql("INSERT INTO orders (customer_name, product_name, status) VALUES ('Eve', 'Bed', 'shipped')");
    await sql("UPDATE orders SET status = 'delivered' WHERE product_name = 'Lamp'");
    for (const [card, text] of [
      ["card-orders", "3"],
      ["card-customers", "2"],
      ["card-pending", "0"],
      ["card-shipped", "2"],
      ["card-delivered", "1"],
      ["card-changes", "2"],
    ] as const)
      await expect.poll(() => page.getByTestId(card).innerText(), { message: card }).toBe(text);
    await expect.poll(() => page.getByTestId("card-latency").innerText()).toMatch(/^(under 1|\d+) ms$/);
    await page
      .getByTestId("latency")
      .filter({ hasText: /\d+ ms/ })
      .waitFor();
    // the charts come when there is time
    await page
      .getByRole("img", { name: /Changes a second/ })
      .locator("canvas")
      .waitFor();
    await page
      .getByRole("img", { name: /commit to screen/ })
      .locator("canvas")
      .waitFor();
    expect(tab.complaints).toEqual([]); // the content security policy among those who could complain
  });

  it("counts who is watching", async () => {
    await open();
    const other = await scene.open();
    for (const one of [tab, other])
      await one.page.getByTestId("watching").filter({ hasText: "2 people watching" }).waitFor();
    await other.close();
    await tab.page.getByTestId("watching").filter({ hasText: "1 person watching" }).waitFor();
  });
});

describe("The pill", () => {
  it("says which way changes come", async () => {
    await open();
    expect(await pill().innerText()).toBe("Live over WebSocket");
    await tab.page.goto(`${scene.stack.url}/?transport=sse`);
    await tab.live("sse");
    expect(await pill().innerText()).toBe("Live over SSE");
  });

  it.each([
    ["down", "Listener down"],
    ["asleep", "Database asleep"],
  ])("says when the listener is %s: %s", async (listener, words) => {
    await openThrough((frame) => frame.replace('"listener":"live"', `"listener":"${listener}"`));
    await pill().filter({ hasText: words }).waitFor();
  });

  it("counts down to the next attempt, and tells the panel what went wrong", async () => {
    const { page } = tab;
    await page.routeWebSocket(/.*/, (socket) => socket.close());
    await page.route("**/sse*", (route) => route.abort());
    await page.goto(scene.stack.url);
    await pill()
      .filter({ hasText: /^Reconnecting in \d+ s$/ })
      .waitFor();
    await pill().click();
    await panel().getByRole("listitem").filter({ hasText: "The WebSocket did not open" }).waitFor();
  });
});

describe("What is not live", () => {
  it("is marked with its age while offline, stays readable, and is live again by itself", async () => {
    await open();
    const { page, context } = tab;
    await context.setOffline(true);
    await pill().filter({ hasText: "Offline" }).waitFor();
    await page
      .getByTestId("stale")
      .filter({ hasText: /as of \d\d:\d\d:\d\d, [2-9] s ago/ })
      .waitFor();
    await page.getByText(/^as of/).waitFor(); // the numbers too
    expect(await page.getByTestId("watching").count()).toBe(0); // that nobody knows now
    expect(await page.locator("[data-testid=order-row]").count()).toBe(2);
    await sql("INSERT INTO orders (customer_name, product_name) VALUES ('Eve', 'Bed')");
    await context.setOffline(false);
    await tab.live("websocket");
    await page.getByTestId("stale").waitFor({ state: "detached" });
    await expect.poll(() => page.getByTestId("card-orders").innerText()).toBe("3");
  });

  it("is loaded again by itself after a reset, which is said", async () => {
    let position = "";
    const say = await openThrough((frame) => {
      position = (JSON.parse(frame) as { position?: string }).position ?? position;
      return frame;
    });
    const loads: string[] = [];
    tab.page.on("request", (request) => {
      if (request.url().includes("/api/orders?")) loads.push(request.url());
    });
    say({ type: "reset", reason: "expired", position });
    await toast("the orders were loaded again").waitFor();
    expect(loads.length).toBeGreaterThan(0);
    await tab.page.getByTestId("reloading").waitFor({ state: "detached" });
  });
});

describe("The panel", () => {
  it("tests the whole way of a change, hop by hop, to this very page", async () => {
    await open();
    await pill().click();
    await panel().getByRole("button", { name: "Test connection" }).click();
    const probe = tab.page.locator("[data-testid=probe][data-state=done]");
    await probe.waitFor();
    const hops = await probe.getByRole("listitem").allInnerTexts();
    expect(hops.map((hop) => hop.split("\n")[0])).toEqual(
      expect.arrayContaining(["Database", "Listener", "Log", "Hub", "This page", "In all"]),
    );
    for (const hop of hops) expect(hop).toMatch(/(under 1|\d+) ms$/);
    // of the feed and the numbers it is no part
    expect(await tab.page.getByTestId("card-changes").innerText()).toBe("0");
  });

  it("says what is wrong when the way is broken", async () => {
    await open();
    const detail = "The change was written, and no listener has read it.";
    await tab.page.route("**/api/probe", (route) =>
      route.fulfill({ status: 503, json: { success: false, code: "probe_timeout", detail } }),
    );
    await pill().click();
    await panel().getByRole("button", { name: "Test connection" }).click();
    await tab.page.locator("[data-testid=probe][data-state=failed]").filter({ hasText: detail }).waitFor();
    await panel().getByRole("listitem").filter({ hasText: detail }).waitFor();
  });

  it("leaves WebSocket for SSE and comes back to it, with the page as it was", async () => {
    await open();
    await sql("UPDATE orders SET status = 'completed'");
    await tab.tells("UPDATE", "completed");
    await pill().click();
    const force = panel().getByRole("switch", { name: "Use SSE only" });
    await force.check();
    await tab.live("sse");
    expect(tab.page.url()).toContain("transport=sse");
    await sql("INSERT INTO orders (customer_name, product_name) VALUES ('Over SSE', 'Bed')");
    await tab.tells("INSERT", "Over SSE");
    await force.uncheck();
    await tab.live("websocket");
    expect(tab.page.url()).not.toContain("transport");
    await tab.tells("UPDATE", "completed");
    await panel().getByText("None since this page was opened.").waitFor(); // on purpose is no error
  });

  it("takes Ctrl+R and Ctrl+L for itself, and gives the focus back", async () => {
    await open();
    const { page } = tab;
    await sql("UPDATE orders SET status = 'completed'");
    await tab.tells("UPDATE", "completed");
    await page.keyboard.press("c");
    await panel().waitFor();
    await expect
      .poll(() => panel().evaluate((element) => element.contains(document.activeElement)))
      .toBe(true);
    const opened = page.waitForEvent("websocket");
    await page.evaluate("window.isSame = true");
    await page.keyboard.press("Control+r");
    await opened;
    await page.keyboard.press("Control+l");
    await expect.poll(() => page.getByTestId("feed-item").count()).toBe(0);
    await tab.live("websocket");
    expect(await page.evaluate("window.isSame")).toBe(true);
    await page.keyboard.press("Escape");
    await panel().waitFor({ state: "detached" });
    await expect.poll(() => pill().evaluate((element) => element === document.activeElement)).toBe(true);
  });
});

describe("The keys", () => {
  it("open, search, clear and reconnect, but not while somebody types, and not when they are turned off", async () => {
    await open();
    const { page } = tab;
    const search = page.getByLabel("Search by customer");
    await page.keyboard.press("/");
    await page.keyboard.type("n?l");
    expect(await search.inputValue()).toBe("n?l");
    await page.keyboard.press("Escape");
    await search.blur();
    await page.keyboard.press("n");
    await page.getByRole("dialog", { name: "New order" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    const opened = page.waitForEvent("websocket");
    await page.keyboard.press("r");
    await opened;

    await page.keyboard.press("?");
    const help = page.getByRole("dialog", { name: "Keys" });
    await help.getByRole("switch").uncheck();
    await page.keyboard.press("Escape");
    await help.waitFor({ state: "detached" });
    await page.keyboard.press("n");
    await page.reload();
    await tab.live("websocket");
    await page.keyboard.press("n");
    expect(await page.getByRole("dialog").count()).toBe(0);
  });
});

describe("The colours", () => {
  it("are the system's until somebody chooses, and then stay as chosen", async () => {
    const { page } = tab;
    const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    await page.emulateMedia({ colorScheme: "light" });
    await open();
    const light = await ground();
    await page.emulateMedia({ colorScheme: "dark" });
    const dark = await ground();
    expect(dark).not.toBe(light);
    await page.getByTestId("theme").click();
    expect(await ground()).toBe(light);
    await page.reload();
    expect(await ground()).toBe(light);
    await page.getByTestId("theme").click();
    await page.emulateMedia({ colorScheme: "light" });
    expect(await ground()).toBe(dark);
    await page.getByTestId("theme").click();
    expect(await ground()).toBe(light);
  });
});

describe("Who does not see the page, or wants it calm,", () => {
  it("hears of a burst of changes in a few words, not of each", async () => {
    await open();
    await tab.page.evaluate(`
      window.said = [];
      const regions = [...document.querySelectorAll("[aria-live], [role=status], [role=alert]")];
      const hear = () => said.push(regions.map((region) => region.textContent).join(" | "));
      for (const region of regions) new MutationObserver(hear).observe(region, { subtree: true, childList: true, characterData: true });
    `);
    for (let n = 0; n < 60; n++) await sql(`UPDATE orders SET amount = ${n} WHERE product_name = 'Lamp'`);
    await tab.shows(
      (await sql<{ id: number }>("SELECT id FROM orders WHERE product_name = 'Lamp'"))[0]?.id ?? 0,
      "59.00",
    );
    await expect.poll(() => tab.page.evaluate("said.length")).toBeGreaterThan(0);
    expect(await tab.page.evaluate<string[]>("said")).toSatisfy((said: string[]) => said.length <= 3);
  });

  it("sees nothing move when the system says so", async () => {
    await tab.page.emulateMedia({ reducedMotion: "reduce" });
    await open();
    await tab.page.evaluate(`
      window.moved = 0;
      const look = () => { moved += document.getAnimations().length; requestAnimationFrame(look); };
      look();
    `);
    await sql("UPDATE orders SET status = 'completed'");
    await tab.tells("UPDATE", "completed");
    await tab.page.keyboard.press("c");
    await panel().waitFor();
    expect(await tab.page.evaluate("moved")).toBe(0);
  });
});

describe("Notifications", () => {
  it("come from the browser when the page is hidden, once they are asked for, one for many changes", async () => {
    const { page } = tab;
    // no test can hide a headless page, nor read what the system shows
    await page.addInitScript(`
      window.shown = [];
      window.Notification = class extends EventTarget {
        static permission = "granted";
        static requestPermission = async () => "granted";
        constructor(title, { body }) { super(); window.shown.push(body); }
        close() {}
      };
      window.hide = (hidden) => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      };
    `);
    await open();
    await page.evaluate("hide(true)");
    await sql("UPDATE orders SET status = 'processing'");
    await page.evaluate("hide(false)");
    await tab.tells("UPDATE", "processing");
    expect(await page.evaluate("shown")).toEqual([]); // nobody asked
    await page.getByTestId("notifications").click();
    await sql("UPDATE orders SET status = 'shipped'");
    await expect.poll(() => page.getByTestId("card-shipped").innerText()).toBe("2");
    expect(await page.evaluate("shown")).toEqual([]); // it is seen on the page
    await page.evaluate("hide(true)");
    await sql("UPDATE orders SET status = 'completed'");
    await expect.poll(() => page.evaluate("shown")).toEqual(["2 changes: 2 updated"]);
    await sql("DELETE FROM orders");
    await page.evaluate("hide(false)");
    await expect.poll(() => page.getByTestId("card-orders").innerText()).toBe("0");
    expect(await page.evaluate("shown")).toHaveLength(1); // the next would have come later
  });
});
