/** A tab with the dashboard in it, and what a person does and sees there. */
import { expect } from "vitest";
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from "playwright-core";

/** Expects of what `get` gives, until it is so: for as long as a busy machine may take. */
export function eventually<T>(get: () => T | Promise<T>) {
  return expect.poll(get, { timeout: 20_000 });
}

export interface TabOptions extends BrowserContextOptions {
  /** False: every WebSocket is closed as soon as it is opened, as some proxies do. */
  readonly webSocket?: boolean;
}

export class Tab {
  readonly page: Page;
  /** What the page complained of: errors, warnings, and what the content security policy forbade. */
  readonly complaints: string[];
  readonly context: BrowserContext;

  private constructor(context: BrowserContext, page: Page, complaints: string[]) {
    this.context = context;
    this.page = page;
    this.complaints = complaints;
  }

  static async open(browser: Browser, url: string, options: TabOptions = {}): Promise<Tab> {
    const { webSocket = true, ...contextOptions } = options;
    const context = await browser.newContext(contextOptions);
    const page = await context.newPage();
    page.setDefaultTimeout(10_000); // so that it is said what was waited for
    const complaints: string[] = [];
    page.on("pageerror", (error) => void complaints.push(String(error)));
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    if (!webSocket) await page.routeWebSocket(/.*/, (socket) => socket.close());
    await page.goto(url);
    return new Tab(context, page, complaints);
  }

  /** Resolves when the header says that the page is live over this transport. */
  async live(transport: "websocket" | "sse"): Promise<string> {
    const header = this.page.locator(
      `[data-testid=connection][data-state=live][data-transport=${transport}]`,
    );
    await header.waitFor();
    return header.innerText();
  }

  row(id: number): Locator {
    return this.page.locator(`[data-testid=order-row][data-order-id="${id}"]`);
  }

  /** Resolves when the order's row shows all of these. */
  async shows(id: number, ...texts: string[]): Promise<void> {
    let row = this.row(id);
    for (const text of texts) row = row.filter({ hasText: text });
    await row.waitFor();
  }

  /** Resolves when the feed has an item with this operation and text. */
  async tells(operation: string, text: string): Promise<void> {
    const items = this.page.locator(`[data-testid=feed-item][data-operation=${operation}]`);
    await items.filter({ hasText: text }).first().waitFor();
  }

  async create(order: { customer: string; product: string; status: string; amount: string }): Promise<void> {
    await this.page.getByRole("button", { name: "New order" }).click();
    const dialog = this.page.getByRole("dialog");
    await dialog.getByLabel("Customer").fill(order.customer);
    await dialog.getByLabel("Product").fill(order.product);
    await dialog.getByLabel("Status", { exact: true }).selectOption(order.status);
    await dialog.getByLabel("Amount").fill(order.amount);
    await this.#submit("Create order");
  }

  async edit(id: number, fields: { customer?: string; status?: string }): Promise<void> {
    await this.row(id).getByRole("button", { name: "Edit" }).click();
    const dialog = this.page.getByRole("dialog");
    if (fields.customer !== undefined) await dialog.getByLabel("Customer").fill(fields.customer);
    if (fields.status !== undefined) await dialog.getByLabel("Status").selectOption(fields.status);
    await this.#submit("Save changes");
  }

  /** Deletes it, which is sent when the time to undo it is over. */
  async delete(id: number): Promise<void> {
    await this.row(id).getByRole("button", { name: "Delete" }).click();
    await this.row(id).waitFor({ state: "detached" });
  }

  /** Picks another status in the row. */
  async setStatus(id: number, status: string): Promise<void> {
    await this.row(id)
      .getByRole("button", { name: /^Status/ })
      .click();
    await this.page.getByRole("menuitemradio", { name: status, exact: true }).click();
  }

  /** The numbers of the orders in the document, from above. */
  async ids(): Promise<number[]> {
    const rows = await this.page.locator("[data-testid=order-row]").evaluateAll((found) =>
      found.map((row) => ({
        id: Number(row.getAttribute("data-order-id")),
        place: Number(row.getAttribute("aria-rowindex")),
      })),
    );
    return rows.toSorted((a, b) => a.place - b.place).map(({ id }) => id);
  }

  /** What is said of how many orders there are. */
  count(): Promise<string> {
    return this.page.getByTestId("count").innerText();
  }

  /** What the filter for a status says: the status, and how many orders have it. */
  statusFilter(status: string): Promise<string> {
    return this.page
      .getByRole("radio", { name: status })
      .evaluate((radio) => radio.parentElement?.innerText ?? "");
  }

  close(): Promise<void> {
    return this.context.close();
  }

  async #submit(name: string): Promise<void> {
    const dialog = this.page.getByRole("dialog");
    await dialog.getByRole("button", { name, exact: true }).click();
    await dialog.waitFor({ state: "detached" });
  }
}
