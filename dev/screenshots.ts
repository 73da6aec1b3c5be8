/**
 * `npm run screenshots`: the pictures in docs/images, taken of the real page over the real stack while its shop is open: light,
 * dark, on a phone, the connection panel, and one change on three screens: a browser with WebSocket, one in which it is
 * blocked, and the terminal.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { KEYS, openTerminal } from "../test/client/cli-terminal.ts";
import { launchChromium } from "../test/support/chromium.ts";
import { buildDashboard } from "../test/support/stack-dashboard.ts";
import { PROJECT_DIR } from "./config.ts";
import { fillShop, runShop } from "./screenshots-shop.ts";
import { startLookStack } from "./screenshots-stack.ts";
import { renderTerminal, terminalFont } from "./screenshots-terminal.ts";

const IMAGES = join(PROJECT_DIR, "docs/images");
/** So long the shop is open before the pictures are taken: the chart has its first minute then. */
const OPEN_MS = 62_000;
const DESK = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };
/** Each of the two browsers of the last picture. */
const WINDOW = { width: 768, height: 640 };
const TERMINAL = { columns: 120, rows: 7 };

await mkdir(IMAGES, { recursive: true });
await buildDashboard();
const stack = await startLookStack();
const chromium = await launchChromium();
const { browser } = chromium;
const database = new Client({ connectionString: stack.databaseUrl });
try {
  await database.connect();
  await fillShop(database);
  await fetch(new URL("/api/probe", stack.url), { method: "POST" }); // goes the same way: what was before it has arrived too
  await takePages();
  await takeThreeScreens();
} finally {
  await database.end();
  await chromium.close();
  await stack.stop();
}

async function takePages(): Promise<void> {
  const light = await openPage(browser, { viewport: DESK, colorScheme: "light" });
  const dark = await openPage(browser, { viewport: DESK, colorScheme: "dark" });
  const phone = await openPage(browser, {
    viewport: PHONE,
    colorScheme: "light",
    deviceScaleFactor: 2,
    hasTouch: true,
  });
  const closing = new AbortController();
  const open = runShop(database, closing.signal);
  await delay(OPEN_MS);
  for (const [name, page] of [
    ["light", light],
    ["dark", dark],
    ["phone", phone],
  ] as const)
    await take(page, name);
  await dark.getByTestId("connection").click();
  await dark.getByRole("button", { name: "Test connection" }).click();
  await dark.locator("[data-testid=probe][data-state=done]").waitFor();
  await take(dark, "connection");
  closing.abort();
  await open;
  for (const page of [light, dark, phone]) await page.context().close();
}

/** One change, made in the terminal. */
async function takeThreeScreens(): Promise<void> {
  const options = { viewport: WINDOW, colorScheme: "light" } as const;
  const socket = await openPage(browser, options);
  const events = await openPage(browser, options, (page) =>
    page.routeWebSocket(/.*/, (route) => route.close()),
  );
  const state = await mkdtemp(join(tmpdir(), "rowcast-look-"));
  const terminal = openTerminal([], { url: stack.url, columns: TERMINAL.columns, state });
  try {
    await terminal.until(() => terminal.typed() === "rowcast>");
    await events.locator("[data-testid=connection][data-transport=sse]").waitFor();
    const { rows } = await database.query<{ id: number }>(
      "SELECT id FROM orders WHERE status IN ('pending', 'processing') ORDER BY id DESC LIMIT 1",
    );
    const id = rows[0]?.id ?? 0;
    terminal.type(`update ${id} shipped${KEYS.enter}`);
    const pages = [socket, events];
    await Promise.all(
      pages.map((page) => page.locator(`[data-order-id="${id}"]`).filter({ hasText: "Shipped" }).waitFor()),
    );
    await terminal.shows("UPDATE");
    const pictures = await Promise.all(pages.map((page) => page.screenshot()));
    const screen = await renderTerminal(terminal.raw(), TERMINAL.columns, TERMINAL.rows);
    const page = await browser.newPage({ viewport: { width: 1600, height: 980 } });
    await page.setContent(compose(pictures, screen, await terminalFont()));
    await page.locator("main").screenshot({ path: join(IMAGES, "three-screens.png") });
  } finally {
    terminal.kill();
    await rm(state, { recursive: true, force: true });
  }
}

function compose(pictures: readonly Buffer[], screen: string, font: string): string {
  const [socket, events] = pictures.map((picture) => `data:image/png;base64,${picture.toString("base64")}`);
  return `<!doctype html><style>
    ${font}
    body { margin: 0; font: 15px system-ui, sans-serif; background: #e9eaee; }
    main { display: grid; grid-template-columns: ${WINDOW.width}px ${WINDOW.width}px; gap: 22px; padding: 22px; width: max-content; }
    figure { margin: 0; overflow: hidden; background: #fff; border-radius: 10px; box-shadow: 0 6px 24px rgb(20 22 30 / 16%); }
    figcaption { padding: 9px 14px; font-weight: 600; color: #3a3c42; background: #f6f6f8; border-bottom: 1px solid #dddfe4; }
    img { display: block; width: 100%; }
    figure:last-child { grid-column: 1 / -1; background: #16171a; }
    figure:last-child figcaption { color: #d5d7db; background: #22242a; border-color: #30333a; }
    pre { margin: 0; padding: 12px 16px; font: 15px/1.45 Terminal, ui-monospace, Menlo, Consolas, monospace; color: #d5d7db; }
  </style><main>
    <figure><figcaption>A browser</figcaption><img src="${socket}" alt=""></figure>
    <figure><figcaption>A browser in which WebSocket is blocked</figcaption><img src="${events}" alt=""></figure>
    <figure><figcaption>npm run cli</figcaption><pre>${screen}</pre></figure>
  </main>`;
}

async function openPage(
  from: Browser,
  options: BrowserContextOptions,
  prepare?: (page: Page) => Promise<void>,
): Promise<Page> {
  const page = await (await from.newContext({ locale: "en-US", ...options })).newPage();
  await prepare?.(page);
  await page.goto(stack.url);
  await page.locator("[data-testid=connection][data-state=live]").waitFor();
  await page.locator("canvas").first().waitFor({ state: "attached" });
  return page;
}

async function take(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(IMAGES, `${name}.png`) });
  console.log(`docs/images/${name}.png`);
}
