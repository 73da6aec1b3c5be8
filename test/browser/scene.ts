/** What every test of the dashboard needs: a stack that serves it, a browser to look at it with, and words for both. */
import type { QueryResultRow } from "pg";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { launchChromium, type LaunchedBrowser } from "../support/chromium.ts";
import { buildDashboard } from "../support/stack-dashboard.ts";
import { startStack, type Stack, type StackOptions } from "../support/stack.ts";
import { Tab, type TabOptions } from "./tab.ts";

export interface Scene {
  readonly stack: Stack;
  readonly browser: Browser;
  /** A tab of its own, with the dashboard on its way. */
  readonly open: (options?: TabOptions) => Promise<Tab>;
  /** The rows of a statement, as somebody in psql would run it. */
  readonly sql: <Row extends QueryResultRow = Record<string, unknown>>(
    text: string,
    values?: unknown[],
  ) => Promise<Row[]>;
  /** An order by this customer, for a lamp; resolves with its id. */
  readonly insert: (customer: string) => Promise<number>;
}

/** A stack, with what `options` say beside the dashboard, and a browser, for the test file that calls this, at its top. */
export function setScene(options: Omit<StackOptions, "dashboard"> = {}): Scene {
  let stack: Stack | null = null;
  let chromium: LaunchedBrowser | null = null;
  beforeAll(async () => {
    await buildDashboard();
    [stack, chromium] = await Promise.all([startStack({ ...options, dashboard: true }), launchChromium()]);
  }, 120_000);
  afterAll(async () => {
    await chromium?.close();
    await stack?.stop();
  });
  const scene: Scene = {
    get stack() {
      if (!stack) throw new Error("the stack is there from beforeAll on");
      return stack;
    },
    get browser() {
      if (!chromium) throw new Error("the browser is there from beforeAll on");
      return chromium.browser;
    },
    open: (tabOptions) => Tab.open(scene.browser, scene.stack.url, tabOptions),
    async sql<Row extends QueryResultRow>(text: string, values?: unknown[]) {
      return (await scene.stack.database.client.query<Row>(text, values)).rows;
    },
    async insert(customer) {
      const [row] = await scene.sql<{ id: number }>(
        "INSERT INTO orders (customer_name, product_name) VALUES ($1, 'Lamp') RETURNING id",
        [customer],
      );
      return row?.id ?? Number.NaN;
    },
  };
  return scene;
}
