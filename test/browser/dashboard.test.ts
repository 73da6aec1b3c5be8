/** The dashboard in a real browser, over the real stack: what one does, the other sees. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { setScene } from "./scene.ts";
import type { Tab } from "./tab.ts";

const scene = setScene();
const { sql } = scene;

const WORDS = { websocket: "WebSocket", sse: "SSE" };

describe.each([
  { how: "both over WebSocket", transports: ["websocket", "websocket"] },
  { how: "one of them without WebSocket, over SSE", transports: ["sse", "websocket"] },
] as const)("Two browsers, $how", ({ transports }) => {
  const [transport] = transports;
  let one: Tab;
  let other: Tab;
  let id: number;
  beforeAll(async () => {
    one = await scene.open({ webSocket: transport === "websocket" });
    other = await scene.open();
  });
  afterAll(async () => {
    await one?.close();
    await other?.close();
  });

  it("say which way changes come in", async () => {
    expect(await one.live(transports[0])).toContain(WORDS[transports[0]]);
    expect(await other.live(transports[1])).toContain(WORDS[transports[1]]);
  });

  it("show an order that is created in one of them, in both", async () => {
    await one.create({
      customer: `Ada ${transport}`,
      product: "Engine",
      status: "processing",
      amount: "1250.5",
    });
    const [row] = await sql<{ id: number }>(`SELECT id FROM orders WHERE customer_name = 'Ada ${transport}'`);
    id = row?.id ?? Number.NaN;
    for (const tab of [one, other]) {
      await tab.shows(id, `Ada ${transport}`, "Engine", "processing", "1,250.50");
      await tab.tells("INSERT", `Ada ${transport}`);
    }
  });

  it("show what the other edits", async () => {
    await other.edit(id, { customer: `Grace ${transport}`, status: "shipped" });
    for (const tab of [one, other]) {
      await tab.shows(id, `Grace ${transport}`, "shipped");
      await tab.tells("UPDATE", `Ada ${transport}`); // what it was
    }
  });

  it("show what somebody does in psql", async () => {
    await sql(`UPDATE orders SET status = 'delivered' WHERE id = ${id}`);
    await sql(
      `INSERT INTO orders (customer_name, product_name) VALUES ('psql ${transport}', repeat('x', 200000))`,
    );
    for (const tab of [one, other]) {
      await tab.shows(id, "delivered");
      await tab.tells("INSERT", `psql ${transport}`);
    }
  });

  it("lose an order that one of them deletes, which its leaving makes final", async () => {
    await one.delete(id);
    await other.shows(id, "delivered");
    await one.page.reload();
    await other.row(id).waitFor({ state: "detached" });
    await other.tells("DELETE", `#${id}`);
    expect(await sql(`SELECT id FROM orders WHERE id = ${id}`)).toEqual([]);
  });

  it("have nothing to complain of", () => {
    expect([...one.complaints, ...other.complaints]).toEqual([]);
  });
});
