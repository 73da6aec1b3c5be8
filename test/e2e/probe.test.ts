/** `POST /api/probe` against the real way, whole and with a piece of it taken out. */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startNeonEndpoint } from "../support/neon-endpoint.ts";
import { fetchDescribed } from "../support/openapi.ts";
import { startStack, type Stack } from "../support/stack.ts";
import { watchSocket } from "./watchers.ts";

interface Probed {
  readonly success: boolean;
  readonly code?: string;
  readonly detail?: string;
  readonly probe: {
    readonly id: string;
    readonly xid: string;
    readonly missing?: string;
    readonly carrier: string;
    readonly hub: string;
    readonly position: string;
    readonly total_ms: number;
    readonly hops: readonly { hop: string; ms: number }[];
    readonly clocks: Record<"database" | "log", { offset_ms: number; uncertainty_ms: number }>;
  };
}

let stack: Stack;
const others: (() => Promise<void>)[] = [];
beforeAll(async () => {
  stack = await startStack({ vars: { FALLBACK_AFTER_MS: "2500" }, listener: { KEEPALIVE_MS: "300" } });
});
afterAll(async () => {
  await stack?.stop();
  for (const stop of others) await stop();
});

async function probe(search = "", { url } = stack): Promise<{ status: number; body: Probed }> {
  const response = await fetchDescribed(`${url}/api/probe${search}`, { method: "POST" });
  return { status: response.status, body: (await response.json()) as Probed };
}

const hopsOf = ({ body }: { body: Probed }) => body.probe.hops.map(({ hop }) => hop);
const ALL_HOPS = ["database", "outbox", "listener", "log", "hub"];

it("comes back, with every hop, whose times add up to the whole", async () => {
  const answer = await probe();
  expect(answer.status).toBe(200);
  const { hops, total_ms, carrier, hub, clocks } = answer.body.probe;
  expect(hopsOf(answer)).toEqual(ALL_HOPS);
  for (const { ms } of hops) expect(ms).toBeGreaterThanOrEqual(0);
  expect(hops.reduce((sum, { ms }) => sum + ms, 0)).toBeCloseTo(total_ms, 0);
  expect({ carrier, hub }).toEqual({ carrier: "listener", hub: "enam:0" });
  // One machine: what they say of their clocks has to hold.
  for (const { offset_ms, uncertainty_ms } of Object.values(clocks))
    expect(Math.abs(offset_ms)).toBeLessThanOrEqual(uncertainty_ms + 2);
});

it("is a change like any other: whoever watches everything sees it, at the position and with the xid that are answered", async () => {
  const watcher = await watchSocket(stack.url);
  const { body } = await probe();
  await watcher.until(() => watcher.changes.length > 0);
  watcher.close();
  const [change] = watcher.changes;
  expect(change).toMatchObject({
    xid: body.probe.xid,
    table: "rowcast.probes",
    operation: "UPDATE",
    data: { token: body.probe.id },
  });
  expect(body.probe.position).toMatch(new RegExp(`\\.${change?.seq}$`));
});

it("leaves one row behind, however many there are at once", async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, () => probe()));
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
  expect(new Set(answers.map(({ body }) => body.probe.id)).size).toBe(8);
  const { rows } = await stack.database.client.query("SELECT id FROM rowcast.probes");
  expect(rows).toEqual([{ id: 1 }]);
});

it("says which hop is missing when the triggers are", async () => {
  const { client } = stack.database;
  await client.query("ALTER TABLE rowcast.probes DISABLE TRIGGER USER");
  const answer = await probe("?wait_ms=30000"); // it is not waited for
  await client.query("ALTER TABLE rowcast.probes ENABLE TRIGGER USER");
  expect(answer.status).toBe(503);
  expect(answer.body).toMatchObject({ code: "probe_timeout", probe: { missing: "outbox" } });
  expect(hopsOf(answer)).toEqual(["database"]);
  expect(answer.body.detail).toContain("rowcast.sync('rowcast.probes')");
});

it("says that the database refuses", async () => {
  const { client } = stack.database;
  await client.query("REVOKE EXECUTE ON FUNCTION rowcast.probe(text) FROM rowcast_api");
  const answer = await probe();
  await client.query("GRANT EXECUTE ON FUNCTION rowcast.probe(text) TO rowcast_api");
  expect(answer).toMatchObject({ status: 503, body: { code: "database_refused" } });
});

it("says that no listener brought it, and once the log looks by itself, that it did", async () => {
  await stack.killListener();
  const lost = await probe("?wait_ms=0");
  expect(lost).toMatchObject({
    status: 503,
    body: { success: false, code: "probe_timeout", probe: { missing: "listener" } },
  });
  expect(hopsOf(lost)).toEqual(["database"]);
  // The fallback begins 2.5 s after the listener's last word.
  const found = await probe();
  expect(found).toMatchObject({ status: 200, body: { probe: { carrier: "log" } } });
  expect(hopsOf(found)).toEqual(ALL_HOPS);
  expect(found.body.probe.hops.find(({ hop }) => hop === "outbox")?.ms).toBeGreaterThan(50);
  await stack.startListener();
  expect((await probe()).body.probe.carrier).toBe("listener");
});

it("wakes a listener that sleeps, over Neon's HTTP as well", async () => {
  const endpoint = await startNeonEndpoint();
  others.push(() => endpoint.close());
  const asleep = await startStack({
    vars: { NEON_FETCH_ENDPOINT: endpoint.url },
    listener: { SUSPEND: "auto", IDLE_AFTER_MS: "0" },
  });
  others.unshift(() => asleep.stop());
  const listener = async () =>
    ((await (await fetch(`${asleep.url}/health`)).json()) as { listener: string }).listener;
  while ((await listener()) !== "asleep") await delay(20);
  const answer = await probe("", asleep);
  expect(answer).toMatchObject({ status: 200, body: { probe: { carrier: "listener" } } });
  expect(hopsOf(answer)).toEqual(ALL_HOPS);
});

it.each(["?wait_ms=-1", "?wait_ms=30001", "?wait_ms=soon", "?wait_ms=1&wait_ms=2"])(
  "refuses %s",
  async (search) => {
    expect(await probe(search)).toMatchObject({ status: 400, body: { code: "invalid_query" } });
  },
);

it("allows nothing but POST", async () => {
  const response = await fetchDescribed(`${stack.url}/api/probe`);
  expect(response.status).toBe(405);
});
